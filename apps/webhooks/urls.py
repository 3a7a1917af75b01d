from django.urls import path

from apps.webhooks import delivery_views, views

urlpatterns = [
    path("webhooks", views.endpoint_list, name="webhooks"),
    path("webhooks/new", views.endpoint_create, name="webhook_create"),
    path("webhooks/<uuid:endpoint_id>", views.endpoint_detail, name="webhook"),
    path("webhooks/<uuid:endpoint_id>/edit", views.endpoint_edit, name="webhook_edit"),
    path("webhooks/<uuid:endpoint_id>/rotate", views.endpoint_rotate, name="webhook_rotate"),
    path("webhooks/<uuid:endpoint_id>/delete", views.endpoint_delete, name="webhook_delete"),
    path("webhooks/<uuid:endpoint_id>/test", views.endpoint_test, name="webhook_test"),
    path("webhooks/<uuid:endpoint_id>/recover", views.endpoint_recover, name="webhook_recover"),
    path(
        "webhooks/<uuid:endpoint_id>/enable",
        views.endpoint_switch,
        {"verb": "enable"},
        name="webhook_enable",
    ),
    path(
        "webhooks/<uuid:endpoint_id>/disable",
        views.endpoint_switch,
        {"verb": "disable"},
        name="webhook_disable",
    ),
    path("webhooks/deliveries/<uuid:delivery_id>", delivery_views.delivery_detail, name="webhook_delivery"),
    path(
        "webhooks/deliveries/<uuid:delivery_id>/resend",
        delivery_views.delivery_act,
        {"verb": "resend"},
        name="webhook_resend",
    ),
    path(
        "webhooks/deliveries/<uuid:delivery_id>/cancel",
        delivery_views.delivery_act,
        {"verb": "cancel"},
        name="webhook_cancel",
    ),
]
