from django.urls import path

from apps.keys import api

urlpatterns = [
    path("keys", api.KeysView.as_view(), name="api_keys"),
    path("keys/<uuid:key_id>", api.KeyView.as_view(), name="api_key"),
    path("keys/<uuid:key_id>/rotate", api.RotateKeyView.as_view(), name="api_key_rotate"),
]
