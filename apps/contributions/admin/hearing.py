"""A clip's recording and its pictures, for staff who may see clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from apps.contributions import pictures
from apps.contributions.models import Clip
from apps.core import media
from apps.core.media import serving
from apps.core.media.links import Linked


@require_safe
def hear(request: HttpRequest, clip_id: UUID, model_admin: Any) -> HttpResponseBase:
    clip = _seen(request, clip_id, model_admin)
    if not clip.flac_key:
        raise Http404
    return serving.answer(request, Linked(clip.flac_key, 0, f"{clip_id}.flac", "audio/flac", False))


@require_safe
def fetch_original(request: HttpRequest, clip_id: UUID, model_admin: Any) -> HttpResponseBase:
    """What the contributor sent, whatever that is: to be saved, and never shown by a browser."""
    clip = _seen(request, clip_id, model_admin)
    if not clip.original_key:
        raise Http404
    model_admin.log_change(request, clip, "Fetched its original.")
    wanted = Linked(clip.original_key, 0, f"{clip_id}.original", "application/octet-stream", True)
    return serving.answer(request, wanted)


@require_safe
def see_waveform(request: HttpRequest, clip_id: UUID, model_admin: Any) -> HttpResponse:
    return _drawn(_seen(request, clip_id, model_admin), pictures.waveform, "image/svg+xml")


@require_safe
def see_spectrogram(request: HttpRequest, clip_id: UUID, model_admin: Any) -> HttpResponse:
    return _drawn(_seen(request, clip_id, model_admin), pictures.spectrogram, "image/png")


def _drawn(clip: Clip, draw: Callable[[bytes], bytes], content_type: str) -> HttpResponse:
    if not clip.flac_key:
        raise Http404
    try:
        flac = media.read(clip.flac_key)
    except FileNotFoundError as error:
        raise Http404 from error
    headers = {"Cache-Control": "private, max-age=300", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(draw(flac), content_type=content_type, headers=headers)


def _seen(request: HttpRequest, clip_id: UUID, model_admin: Any) -> Clip:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    return get_object_or_404(Clip.objects.defer("fingerprint", "voice"), pk=clip_id)
