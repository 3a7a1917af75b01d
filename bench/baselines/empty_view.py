"""Django's own price: an async view without work, middleware or database."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="unused" * 10, USE_TZ=True)
django.setup(set_prefix=False)


async def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("generate", empty)]
application = get_asgi_application()
