"""Answers with a stored file, whole or in part, in constant memory and under either server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from apps.core import media
from apps.core.media import links
from apps.core.media.links import Linked

_CHUNK_BYTES = 1 << 16
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@require_safe
def linked(request: HttpRequest, signed: str) -> HttpResponseBase:
    """Where `media.signed_link` leads without a bucket; 404 whatever is wrong with it."""
    found = links.opened(signed)
    if found is None:
        raise Http404
    return answer(request, found)


def answer(request: HttpRequest, wanted: Linked) -> HttpResponseBase:
    """The file, or the one range of it that the request names. Raises Http404 where it is gone.

    The caller has looked who asks. Several ranges, and one that is bound to a version (`If-Range`), are
    answered with all of it, as HTTP allows.
    """
    try:
        size = media.size(wanted.key)
    except FileNotFoundError as error:
        raise Http404 from error
    span = _span(request, size)
    if span is None:
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{size}"
        return response
    start, stop = span
    if request.method == "HEAD":
        response = HttpResponse()
    else:
        response = StreamingHttpResponse(_parts(request, wanted.key, start, stop))
    if stop - start < size:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    response["Content-Length"] = str(stop - start)
    response["Content-Type"] = wanted.content_type
    response["Content-Disposition"] = (
        content_disposition_header(wanted.attachment, wanted.filename) or "inline"
    )
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=300"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _span(request: HttpRequest, size: int) -> tuple[int, int] | None:
    """From and up to which byte; None where what is asked lies outside."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or match[0] == "bytes=-" or "If-Range" in request.headers:
        return 0, size
    first, last = match.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < int(first):
            return 0, size  # not a valid range: as if there were none
    return (start, stop) if start < stop else None


def _parts(request: HttpRequest, key: str, start: int, stop: int) -> Iterator[bytes] | AsyncIterator[bytes]:
    """ASGI would read a synchronous iterator whole before it sends, WSGI an asynchronous one."""
    if isinstance(request, ASGIRequest):
        return _read_in_threads(key, start, stop)
    return _read(key, start, stop)


def _read(key: str, start: int, stop: int) -> Iterator[bytes]:
    reading = media.open_range(key, start)
    try:
        left = stop - start
        while left and (part := reading.read(min(_CHUNK_BYTES, left))):
            left -= len(part)
            yield part
    finally:
        reading.close()


async def _read_in_threads(key: str, start: int, stop: int) -> AsyncIterator[bytes]:
    reading = await asyncio.to_thread(media.open_range, key, start)
    try:
        left = stop - start
        while left and (part := await asyncio.to_thread(reading.read, min(_CHUNK_BYTES, left))):
            left -= len(part)
            yield part
    finally:
        reading.close()
