"""A campaign's own quality gates, over the usual ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from apps.contributions.models import Campaign
from apps.contributions.quality.gates import Gates, Verdict
from apps.core.errors import InvalidRequest

USUAL = Gates()


def gates_of(campaign: Campaign) -> Gates:
    return Gates(**{**asdict(USUAL), **clean(campaign.gates)})


def clean(given: Mapping[str, Any]) -> dict[str, Any]:
    """Only those that there are, each of its kind. Raises `InvalidRequest`."""
    known = {field.name for field in fields(Gates)}
    cleaned: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise InvalidRequest(f"There is no gate called {name}.", param="gates")
        if name == "unchecked_transcript":
            if value not in list(Verdict):
                raise InvalidRequest(f"{name} is accept, review or reject.", param="gates")
            cleaned[name] = Verdict(value)
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidRequest(f"{name} is a number.", param="gates")
        else:
            cleaned[name] = float(value)
    return cleaned


def contradictions(given: Mapping[str, Any]) -> dict[str, str]:
    """By gate, in words: where a clip would be rejected before it is sent to review. `given` is cleaned."""
    held = {**asdict(USUAL), **given}
    found: dict[str, str] = {}
    for reject, limit in held.items():
        review = reject.replace("reject_", "review_", 1)
        if not reject.startswith("reject_") or review not in held:
            continue
        softer = held[review]
        if softer < limit if "_under_" in reject else softer > limit:
            name = review if review in given else reject
            found[name] = f"Rejected from {limit:g} on, a clip is never sent to review, from {softer:g} on."
    return found
