"""Plumbing of the JSON surfaces: one error shape, one page shape."""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from rest_framework import exceptions, parsers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import errors
from apps.core.ids import uuid_or_none

logger = structlog.get_logger(__name__)

JSON_PREFIXES = ("/api/", "/generate", "/v1/", "/elevenlabs/", "/health", "/ready")


class JSONParser(parsers.JSONParser):
    """DRF's, which takes a body nested too deeply for a fault of ours."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("it is nested too deeply") from None


class MultiPartParser(parsers.MultiPartParser):
    """DRF's, with words of its own for a form that cannot be read."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except exceptions.ParseError as error:
            detail = str(error.detail).removeprefix("Multipart form parse error - ").rstrip(".")
            raise errors.InvalidRequest(
                f"The body is not a valid form: {detail}.", code="invalid_multipart"
            ) from None
        except (SuspiciousOperation, ValueError) as error:
            raise errors.InvalidRequest("The body is not a valid form.", code="invalid_multipart") from error


class Page(CursorPagination):
    """`{"next", "previous", "results"}`, newest first; ids are UUIDv7, so they order by time."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"

    def decode_cursor(self, request: Request) -> Any:
        """Raises `InvalidRequest`: DRF hands any position on to the database, also one that is no id."""
        try:
            cursor = super().decode_cursor(request)
        except exceptions.NotFound:
            raise _unknown_cursor() from None
        if cursor is not None and cursor.position is not None and not uuid_or_none(cursor.position):
            raise _unknown_cursor()
        return cursor


def _unknown_cursor() -> errors.InvalidRequest:
    return errors.InvalidRequest(
        "This is no cursor of a page. Take it from `next` or `previous`.", param="cursor"
    )


def request_id_of(request: Any) -> str:
    return str(getattr(request, "request_id", ""))


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: whatever a view raised, in our shape; `None` for what is a fault of ours."""
    app_error = as_app_error(error)
    if app_error is None:
        return None
    if isinstance(error, exceptions.UnsupportedMediaType) and _takes_a_form(context["view"]):
        app_error = errors.UnsupportedMediaType("Send a form, with Content-Type: multipart/form-data.")
    request = context["request"]._request
    return Response(
        app_error.body(request_id_of(request)), status=app_error.status, headers=app_error.headers
    )


def _takes_a_form(view: Any) -> bool:
    return any(isinstance(parser, parsers.MultiPartParser) for parser in view.get_parsers())


def as_app_error(error: Exception) -> errors.AppError | None:
    """The error of ours that says the same as one of Django's or DRF's; `None` where there is none."""
    match error:
        case errors.AppError():
            return error
        case OperationalError() | InterfaceError() | RedisConnectionError() | RedisTimeoutError():
            return errors.Unavailable("A part of the platform is away. Try again in a moment.")
        case Http404():
            return errors.NotFound("There is nothing here by that name or id.")
        case DjangoPermissionDenied():
            return errors.PermissionDenied("You may not do this.")
        case RequestDataTooBig():
            limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            return errors.PayloadTooLarge(f"The body is larger than {limit} bytes.")
        case exceptions.ValidationError():
            param, message = _first_problem(error.detail)
            return errors.InvalidRequest(message, param=param)
        case exceptions.ParseError():
            detail = str(error.detail).removeprefix("JSON parse error - ").rstrip(".")
            return errors.InvalidRequest(f"The body is not valid JSON: {detail}.", code="invalid_json")
        case exceptions.UnsupportedMediaType():
            return errors.UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
        case exceptions.MethodNotAllowed():
            return errors.MethodNotAllowed(str(error.detail))
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return errors.Unauthenticated(str(error.detail))
        case exceptions.APIException():
            result = errors.AppError(str(error.detail), code=str(error.default_code))
            result.status = error.status_code
            return result
    return None


def _first_problem(detail: Any, path: str = "") -> tuple[str | None, str]:
    """The first message of DRF's nested validation detail, with the dotted path to its field."""
    if isinstance(detail, dict):
        field, inner = next(iter(detail.items()))
        if field == "non_field_errors":
            return _first_problem(inner, path)
        return _first_problem(inner, f"{path}.{field}" if path else str(field))
    if isinstance(detail, list):
        return _first_problem(detail[0], path)
    return path or None, str(detail)


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith(JSON_PREFIXES) or (
        "application/json" in request.headers.get("Accept", "")
        and "text/html" not in request.headers.get("Accept", "")
    )


def json_error(request: HttpRequest, error: errors.AppError) -> JsonResponse:
    return JsonResponse(error.body(request_id_of(request)), status=error.status, headers=error.headers)
