"""Voices as ElevenLabs' clients read them, searched and paged as they ask."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apps.core.errors import InvalidRequest
from apps.tts.elevenlabs import voice_settings
from apps.voices.models import Voice
from apps.voices.serializers import preview_link

# What of `voice_type` means the platform's voices, and what an organization's own.
_PLATFORMS: Final = {"default"}
_OWN: Final = {"personal", "workspace", "non-default", "non-community", "saved"}
VOICE_TYPES: Final = (
    "default",
    "personal",
    "workspace",
    "community",
    "non-default",
    "non-community",
    "saved",
)
LABELS: Final = ("gender", "age", "accent")


def voice_body(voice: Voice) -> dict[str, Any]:
    """`safety_control` is BAN where the voice may not be spoken for now, or never again."""
    is_own = voice.organization_id is not None
    return {
        "voice_id": voice.public_id,
        "name": voice.name,
        "category": voice.category,
        "description": voice.description or None,
        "labels": _labels(voice),
        "preview_url": preview_link(voice),
        "settings": voice_settings.DEFAULTS,
        "available_for_tiers": [],
        "high_quality_base_model_ids": voice.engine_models,
        "safety_control": None if voice.is_active else "BAN",
        "permission_on_resource": "admin" if is_own else "viewer",
        "is_owner": is_own,
        "is_legacy": False,
        "is_mixed": False,
        "created_at_unix": int(voice.created_at.timestamp()),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A checked query of `GET /v2/voices`."""

    search: str = ""
    sort: str = "created_at_unix"
    sort_direction: str | None = None
    voice_type: str | None = None
    category: str | None = None
    voice_ids: Sequence[str] = ()
    labels: Sequence[tuple[str, str]] = ()
    languages: Sequence[str] = ()
    use_cases: Sequence[str] = ()
    finds_nothing: bool = False
    page_size: int = 10
    next_page_token: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    voices: list[Voice]
    total: int
    next_page_token: str | None


def found(voices: Iterable[Voice], search: Search) -> Found:
    """Raises `InvalidRequest` for a token that was not given out."""
    by_name = search.sort == "name"
    is_downwards = (search.sort_direction or ("asc" if by_name else "desc")) == "desc"
    matching = sorted(
        (voice for voice in voices if _matches(voice, search)),
        key=lambda voice: _place(voice, by_name),
        reverse=is_downwards,
    )
    rest = matching
    if search.next_page_token:
        after = _read_token(search.next_page_token, by_name)
        rest = [voice for voice in matching if (_place(voice, by_name) < after) is is_downwards]
        rest = [voice for voice in rest if _place(voice, by_name) != after]
    page = rest[: search.page_size]
    token = _token(_place(page[-1], by_name)) if len(rest) > len(page) else None
    return Found(page, len(matching), token)


def _matches(voice: Voice, search: Search) -> bool:
    labels = _labels(voice)
    is_own = voice.organization_id is not None
    wanted = search.search.casefold()
    return (
        not search.finds_nothing
        and (search.voice_type not in _PLATFORMS or not is_own)
        and (search.voice_type not in _OWN or is_own)
        and search.voice_type != "community"
        and search.category in (None, voice.category)
        and (not search.voice_ids or voice.public_id in search.voice_ids)
        and (not wanted or any(wanted in words.casefold() for words in _words(voice, labels)))
        and all(labels.get(name, "").casefold() == value.casefold() for name, value in search.labels)
        and (not search.languages or any(tag in voice.languages for tag in search.languages))
        and (not search.use_cases or labels.get("use_case") in search.use_cases)
    )


def _words(voice: Voice, labels: dict[str, str]) -> Iterable[str]:
    return voice.name, voice.description, voice.category, voice.public_id, *labels.values()


def _labels(voice: Voice) -> dict[str, str]:
    languages = {"language": voice.languages[0]} if voice.languages else {}
    return languages | {str(name): str(value) for name, value in voice.labels.items()}


def _place(voice: Voice, by_name: bool) -> tuple[str, str]:
    """Where a voice stands in a list; ids are UUIDv7, so that they stand by time."""
    return (voice.name.casefold() if by_name else "", str(voice.pk))


def _token(place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _read_token(token: str, by_name: bool) -> tuple[str, str]:
    try:
        name, key = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, RecursionError):
        name = key = None
    if not isinstance(name, str) or not isinstance(key, str) or bool(name) is not by_name:
        raise InvalidRequest(
            "This is no token of a page of this list. Take it from next_page_token.", param="next_page_token"
        )
    return name, key
