from django.urls import include, path

from apps.tts import views

urlpatterns = [
    path("generate", views.GenerateView.as_view(), name="generate"),
    path("", include("apps.tts.openai.urls")),
    path("", include("apps.tts.history.urls")),
    path("elevenlabs/", include("apps.tts.elevenlabs.urls")),
]
