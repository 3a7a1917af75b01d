"""Every URL of the platform."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from apps.console.speech import PlaygroundSpeechView
from apps.core import exposition, health
from apps.core.media import serving

urlpatterns = [
    path("health", health.health, name="health"),
    path("ready", health.ready, name="ready"),
    path("ready/speech", health.ready_speech, name="ready_speech"),
    path("metrics", exposition.metrics, name="metrics"),
    path("media/<str:signed>", serving.linked, name="media"),
    path("", include("apps.tts.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="api_schema"), name="api_docs"),
    path("api/", include("apps.webhooks.api_urls")),
    path("api/", include("apps.keys.api_urls")),
    path("api/", include("apps.voices.api_urls")),
    path("api/", include("apps.deployments.api_urls")),
    path("api/", include("apps.usage.api_urls")),
    path("api/", include("apps.tts.api_urls")),
    path("api/", include("apps.contributions.api_urls")),
    path("", include("apps.console.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.keys.urls")),
    path("", include("apps.webhooks.urls")),
    path("", include("apps.voices.urls")),
    path("", include("apps.deployments.urls")),
    path("", include("apps.usage.urls")),
    path("", include("apps.tts.jobs.urls")),
    path("", include("apps.contributions.urls")),
    path("playground/speech", PlaygroundSpeechView.as_view(), name="playground_speech"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
]

handler400 = "apps.console.errors.bad_request"
handler403 = "apps.console.errors.permission_denied"
handler404 = "apps.console.errors.not_found"
handler429 = "apps.console.errors.too_many_requests"  # allauth looks for this one
handler500 = "apps.console.errors.server_error"
