from django.urls import path

from apps.webhooks import api

_ONE = "webhooks/<uuid:endpoint_id>"
_DELIVERY = "webhooks/deliveries/<uuid:delivery_id>"

urlpatterns = [
    path("webhooks", api.EndpointsView.as_view(), name="api_webhooks"),
    path("webhooks/events", api.EventTypesView.as_view(), name="api_webhook_events"),
    path(_ONE, api.EndpointView.as_view(), name="api_webhook"),
    path(f"{_ONE}/enable", api.EnableView.as_view(), name="api_webhook_enable"),
    path(f"{_ONE}/disable", api.DisableView.as_view(), name="api_webhook_disable"),
    path(f"{_ONE}/rotate", api.RotateView.as_view(), name="api_webhook_rotate"),
    path(f"{_ONE}/test", api.TestEventView.as_view(), name="api_webhook_test"),
    path(f"{_ONE}/recover", api.RecoverView.as_view(), name="api_webhook_recover"),
    path(f"{_ONE}/deliveries", api.DeliveriesView.as_view(), name="api_webhook_deliveries"),
    path(_DELIVERY, api.DeliveryView.as_view(), name="api_webhook_delivery"),
    path(f"{_DELIVERY}/resend", api.ResendView.as_view(), name="api_webhook_resend"),
    path(f"{_DELIVERY}/cancel", api.CancelView.as_view(), name="api_webhook_cancel"),
]
