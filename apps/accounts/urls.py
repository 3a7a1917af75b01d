from django.urls import path

from apps.accounts import views

urlpatterns = [
    path("settings", views.settings, name="settings"),
    path("settings/profile", views.profile_update, name="profile_update"),
    path("settings/organization", views.organization_update, name="organization_update"),
    path("settings/history", views.history_update, name="history_update"),
    path("organizations/new", views.organization_create, name="organization_create"),
    path("organizations/switch", views.organization_switch, name="organization_switch"),
]
