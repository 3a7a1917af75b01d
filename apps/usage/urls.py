from django.urls import path

from apps.usage import views

urlpatterns = [
    path("usage", views.usage, name="usage"),
    path("deployments/<uuid:deployment_id>/requests", views.deployment_requests, name="deployment_requests"),
]
