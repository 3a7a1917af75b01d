from django.urls import path

from apps.console import views
from apps.console.docs.pages import PAGES
from apps.console.docs.views import docs

urlpatterns = [
    path("", views.overview, name="overview"),
    path("playground", views.playground, name="playground"),
    *(path(f"docs/{page.slug}".rstrip("/"), docs, {"slug": page.slug}, name=page.url_name) for page in PAGES),
]
