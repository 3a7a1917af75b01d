from django.urls import path

from apps.voices import views

urlpatterns = [
    path("voices", views.voice_list, name="voices"),
    path("voices/new", views.voice_add, name="voice_add"),
    path("voices/terms", views.voice_terms, name="voice_terms"),
    path("voices/<str:voice_id>", views.voice_detail, name="voice"),
    path("voices/<str:voice_id>/edit", views.voice_edit, name="voice_edit"),
    path("voices/<str:voice_id>/withdraw", views.voice_withdraw, name="voice_withdraw"),
    path("voices/<str:voice_id>/delete", views.voice_delete, name="voice_delete"),
    path("voices/<str:voice_id>/preview.mp3", views.voice_preview, name="voice_preview"),
    path("voices/<str:voice_id>/recording.wav", views.voice_recording, name="voice_recording"),
]
