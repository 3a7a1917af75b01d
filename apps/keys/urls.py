from django.urls import path

from apps.keys import views

urlpatterns = [
    path("keys", views.key_list, name="keys"),
    path("keys/new", views.key_create, name="key_create"),
    path("keys/<uuid:key_id>/", views.key_edit, name="key_edit"),
    path("keys/<uuid:key_id>/rotate", views.key_rotate, name="key_rotate"),
    path("keys/<uuid:key_id>/revoke", views.key_revoke, name="key_revoke"),
]
