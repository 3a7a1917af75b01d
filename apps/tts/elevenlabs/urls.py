from django.urls import path, re_path

from apps.tts.elevenlabs import account, views, voice_views

_SPEECH = "v1/text-to-speech/<str:voice_id>"

urlpatterns = [
    path(_SPEECH, views.ConvertView.as_view(), name="elevenlabs_convert"),
    path(f"{_SPEECH}/stream", views.StreamView.as_view(), name="elevenlabs_stream"),
    path(
        f"{_SPEECH}/with-timestamps",
        views.ConvertWithTimestampsView.as_view(),
        name="elevenlabs_convert_with_timestamps",
    ),
    path(
        f"{_SPEECH}/stream/with-timestamps",
        views.StreamWithTimestampsView.as_view(),
        name="elevenlabs_stream_with_timestamps",
    ),
    path("v1/models", views.ModelsView.as_view(), name="elevenlabs_models"),
    path("v1/voices", voice_views.VoicesView.as_view(), name="elevenlabs_voices"),
    path("v1/voices/add", voice_views.AddVoiceView.as_view(), name="elevenlabs_voices_add"),
    path("v1/voices/<str:voice_id>", voice_views.VoiceView.as_view(), name="elevenlabs_voice"),
    path("v2/voices", voice_views.SearchVoicesView.as_view(), name="elevenlabs_voices_search"),
    path("v1/user", account.UserView.as_view(), name="elevenlabs_user"),
    path("v1/user/subscription", account.SubscriptionView.as_view(), name="elevenlabs_subscription"),
    # What is nobody's is refused in ElevenLabs' shape, whatever its characters.
    re_path(r"^[\s\S]*\Z", views.UnknownView.as_view(), name="elevenlabs_unknown"),
]
