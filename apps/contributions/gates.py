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
