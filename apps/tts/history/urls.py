from django.urls import path

from apps.tts.history import views

urlpatterns = [
    path("history", views.history, name="history"),
    path("history/delete", views.history_delete_all, name="history_delete_all"),
    path("history/<uuid:item_id>", views.history_item, name="history_item"),
    path("history/<uuid:item_id>/audio", views.history_audio, name="history_audio"),
    path("history/<uuid:item_id>/delete", views.history_delete, name="history_delete"),
]
