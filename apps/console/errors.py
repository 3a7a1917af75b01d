"""Error pages, each with its request id; JSON for those who asked for JSON."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template import loader

from apps.core import errors
from apps.core.api import as_app_error, json_error, request_id_of, wants_json


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, errors.InvalidRequest("This request was not understood."), "400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request, as_app_error(exception) or errors.PermissionDenied("You may not do this."), "403.html"
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, errors.NotFound("There is nothing here by that name or id."), "404.html")


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """allauth's limits on signing in and up, most of which are by the minute."""
    error = errors.RateLimited("Too many attempts. Wait a minute, then try again.", retry_after_seconds=60)
    return _answer(request, error, "429.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without context processors: what broke may be the database that they ask.

    A service that is away is no fault of this code and answers 503.
    """
    broke = sys.exc_info()[1]
    away = as_app_error(broke) if isinstance(broke, Exception) else None
    if isinstance(away, errors.Unavailable):
        return _answer(request, away, "503.html")
    return _answer(request, errors.AppError("Something broke on our side."), "500.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    error = errors.PermissionDenied("The form is too old, or cookies are off.", code="csrf_failed")
    return _answer(request, error, "403_csrf.html")


def _answer(request: HttpRequest, error: errors.AppError, template: str) -> HttpResponse:
    if wants_json(request):
        return json_error(request, error)
    page = loader.render_to_string(template, {"request_id": request_id_of(request)})
    return HttpResponse(page, status=error.status, headers=error.headers)
