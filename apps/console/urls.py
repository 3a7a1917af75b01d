from django.urls import path

from apps.console import views
from apps.console.docs.views import docs

urlpatterns = [
    path("", views.overview, name="overview"),
    path("playground", views.playground, name="playground"),
    path("docs", docs, name="docs"),
    path("docs/<slug:slug>", docs, name="docs_page"),
]
