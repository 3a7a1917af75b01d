from django.urls import path

from apps.console import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("playground", views.playground, name="playground"),
]
