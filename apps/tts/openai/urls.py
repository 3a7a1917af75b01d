from django.urls import path, re_path

from apps.tts.openai import views

urlpatterns = [
    path("v1/audio/speech", views.SpeechView.as_view(), name="openai_speech"),
    path("v1/models", views.ModelsView.as_view(), name="openai_models"),
    path("v1/models/<str:model>", views.ModelView.as_view(), name="openai_model"),
    # What is nobody's is refused in OpenAI's shape, whatever its characters.
    re_path(r"^v1(?:/[\s\S]*)?\Z", views.UnknownView.as_view(), name="openai_unknown"),
]
