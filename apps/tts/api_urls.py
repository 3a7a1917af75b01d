from django.urls import path

from apps.tts.normalizing import NormalizeView

urlpatterns = [path("normalize", NormalizeView.as_view(), name="api_normalize")]
