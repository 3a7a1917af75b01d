from django.urls import path

from apps.usage import views

urlpatterns = [path("usage", views.usage, name="usage")]
