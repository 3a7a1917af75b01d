"""Static files without a web server in front."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, with answers that both doors can send.

    WhiteNoise streams a file from a synchronous iterator, which ASGI reads whole with a warning. Ours are
    small and compressed: they are read at once.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file as file:
                body = file.read()
        response = HttpResponse(body, status=int(found.status))
        del response["Content-Type"]  # the file's own headers say it, and a 304 has none
        for name, value in found.headers:
            response[name] = value
        return response
