"""What the docs say of the platform, taken from where it is decided."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.conf import settings

from apps.accounts.models import Organization
from apps.console.docs.errors import GROUPS
from apps.deployments import budgets, words
from apps.deployments.models import Deployment
from apps.deployments.offers import missing_engines, offered_providers
from apps.deployments.specification import Scaling
from apps.deployments.states import State
from apps.tts.elevenlabs.formats import OUTPUT_FORMATS
from apps.tts.elevenlabs.model_names import THEIR_MODELS
from apps.tts.native import SpeechSerializer
from apps.tts.openai.catalogue import MODELS
from apps.tts.openai.voices import VOICES
from apps.tts.speakable import speakable
from apps.usage.limits import read_policy
from apps.voices.statements import CONSENT
from apps.webhooks import attempts, catalogue, health, schedule
from apps.webhooks import services as webhooks
from apps.webhooks.samples import verifying
from gpu_worker.protocol import MEDIA_TYPES, NUMBER_BOUNDS, RATES

LIMITS: Final = {
    "requests_per_minute": "Requests a minute",
    "concurrent_requests": "Requests at once",
    "characters_per_request": "Characters of one text",
    "characters_per_month": "Characters a month",
}


def of(slug: str, organization: Organization) -> Mapping[str, Any]:
    """The context of one page."""
    return _OF.get(slug, _nothing)(organization)


def _quickstart(organization: Organization) -> Mapping[str, Any]:
    return {"fields": _fields(), "formats": _formats()}


def _openai(organization: Organization) -> Mapping[str, Any]:
    may_use_shared = read_policy(organization.pk).may_use_shared_pool
    offered = speakable(organization, may_use_shared=may_use_shared)
    there = {voice.id for model in offered for voice in model.voices}
    voices = [{"name": name, "ours": ours, "is_there": ours in there} for name, ours in VOICES.items()]
    return {"voices": voices, "models": MODELS}


def _elevenlabs(organization: Organization) -> Mapping[str, Any]:
    return {"models": THEIR_MODELS, "formats": OUTPUT_FORMATS}


def _voices(organization: Organization) -> Mapping[str, Any]:
    return {"statement": CONSENT[-1]}


def _jobs(organization: Organization) -> Mapping[str, Any]:
    return {"result_days": settings.JOB_RESULT_DAYS}


def _deployments(organization: Organization) -> Mapping[str, Any]:
    states = [{"value": state.value, "says": words.doing(Deployment(state=state))} for state in State]
    return {
        "states": states,
        "scaling": Scaling(),
        "deployments_max": settings.LIMIT_DEPLOYMENTS,
        "wait_max": settings.SPEECH_WAIT_MAX_SECONDS,
        "is_demo": settings.DEMO_MODE,
        "is_cpu_alone": bool(missing_engines(offered_providers()[0])),
        "warned_percent": int(budgets.WARNED_AT * 100),
        "ahead_minutes": int(budgets.AHEAD.total_seconds() // 60),
        "drained_seconds": int(budgets.DRAINED.total_seconds()),
    }


def _webhooks(organization: Organization) -> Mapping[str, Any]:
    kinds = [
        {"kind": kind, "example": _json(kind.example_body), "schema": _json(kind.schema)}
        for kind in catalogue.every_type()
    ]
    return {
        "kinds": kinds,
        "example": _json(catalogue.find("job.completed").example_body),
        "verifying": verifying(),
        "delays": [_delay(delay) for delay in schedule.DELAYS],
        "attempts_max": schedule.ATTEMPTS,
        "jitter_percent": int(schedule.JITTER * 100),
        "timeout_seconds": int(attempts.TIMEOUT_SECONDS),
        "kept_bytes": attempts.MAX_BODY_BYTES,
        "fails_for_days": health.FAILS_FOR.days,
        "endpoints_max": webhooks.MAX_ENDPOINTS,
        "overlap_max_days": webhooks.MAX_OVERLAP_SECONDS // 86_400,
        "log_days": settings.WEBHOOK_LOG_DAYS,
    }


def _limits(organization: Organization) -> Mapping[str, Any]:
    policy = read_policy(organization.pk)
    limits = [
        {"title": title, "live": getattr(policy.live, name), "test": getattr(policy.test, name)}
        for name, title in LIMITS.items()
    ]
    return {"limits": limits, "wait_max": settings.SPEECH_WAIT_MAX_SECONDS}


def _errors(organization: Organization) -> Mapping[str, Any]:
    return {"errors": GROUPS}


def _nothing(organization: Organization) -> Mapping[str, Any]:
    return {}


_OF: Mapping[str, Callable[[Organization], Mapping[str, Any]]] = {
    "": _quickstart,
    "openai": _openai,
    "elevenlabs": _elevenlabs,
    "voices": _voices,
    "jobs": _jobs,
    "deployments": _deployments,
    "webhooks": _webhooks,
    "limits": _limits,
    "errors": _errors,
}


def _fields() -> list[dict[str, str]]:
    fields = SpeechSerializer().fields.items()
    return [{"name": name, "says": _says(name, str(field.help_text or ""))} for name, field in fields]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _delay(delay: timedelta) -> str:
    seconds = int(delay.total_seconds())
    units = ((3600, "h"), (60, "min"), (1, "s"))
    size, unit = next((size, unit) for size, unit in units if seconds >= size)
    return f"{seconds // size} {unit}"


def _says(name: str, help_text: str) -> str:
    if name not in NUMBER_BOUNDS:
        return help_text
    low, high = NUMBER_BOUNDS[name]
    return f"{low:g} to {high:g}. {help_text}".strip()


def _formats() -> list[dict[str, str]]:
    return [
        {"name": name, "media_type": MEDIA_TYPES[name], "rates": ", ".join(f"{rate:,}" for rate in rates)}
        for name, rates in RATES.items()
    ]
