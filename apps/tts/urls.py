from django.urls import path

from apps.tts import views

urlpatterns = [path("generate", views.GenerateView.as_view(), name="generate")]
