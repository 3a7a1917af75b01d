from django.urls import path

from apps.usage import api

urlpatterns = [
    path("usage", api.UsageView.as_view(), name="api_usage"),
    path("stats", api.StatsView.as_view(), name="api_stats"),
]
