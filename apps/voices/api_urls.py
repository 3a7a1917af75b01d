from django.urls import path

from apps.voices import api

urlpatterns = [
    path("voices", api.VoicesView.as_view(), name="api_voices"),
    path("voices/consent", api.ConsentStatementView.as_view(), name="api_voices_consent"),
    path("voices/<str:voice_id>", api.VoiceView.as_view(), name="api_voice"),
    path("voices/<str:voice_id>/consent/withdraw", api.WithdrawView.as_view(), name="api_voice_withdraw"),
]
