"""`voice_settings`: ElevenLabs' dials turned into those of the engines here.

| ElevenLabs         | range, default | here           | formula                         | at their default |
|--------------------|----------------|----------------|---------------------------------|------------------|
| `stability`        | 0–1, 0.5       | `temperature`  | 1.1 − 0.6 × stability           | 0.8              |
| `similarity_boost` | 0–1, 0.75      | `cfg_weight`   | similarity_boost × 2 ⁄ 3        | 0.5              |
| `style`            | 0–1, 0         | `exaggeration` | 0.5 + 0.5 × style               | 0.5              |
| `speed`            | 0.25–4, 1      | `speed`        | as it is                        | 1.0              |
| `use_speaker_boost`| –              | –              | accepted and ignored            | –                |

Their defaults give the defaults of the engines that clone, and each dial moves the way it does there: less
stability is more varied, more style is more expressive. A dial that is left out stays the engine's own; an
engine that lacks one leaves it aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from apps.core.errors import InvalidRequest
from gpu_worker.protocol import NUMBER_BOUNDS

BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "stability": (0.0, 1.0),
    "similarity_boost": (0.0, 1.0),
    "style": (0.0, 1.0),
    "speed": NUMBER_BOUNDS["speed"],
}
DEFAULTS: Final[dict[str, Any]] = {
    "stability": 0.5,
    "similarity_boost": 0.75,
    "style": 0.0,
    "use_speaker_boost": True,
    "speed": 1.0,
}


class Parameters(TypedDict, total=False):
    """Fields of a `SpeechBody`."""

    temperature: float
    cfg_weight: float
    exaggeration: float
    speed: float


def parameters_of(settings: Mapping[str, Any] | None) -> Parameters:
    """Raises `InvalidRequest` (`invalid_voice_settings`)."""
    given = {name: value for name, value in (settings or {}).items() if value is not None}
    for name, (low, high) in BOUNDS.items():
        if name in given and not low <= given[name] <= high:
            raise InvalidRequest(
                f"Invalid setting for {name} received, expected to be from {low:g} to {high:g},"
                f" received {given[name]:g}.",
                code="invalid_voice_settings",
                param=f"voice_settings.{name}",
            )
    parameters: Parameters = {}
    if "stability" in given:
        parameters["temperature"] = round(1.1 - 0.6 * given["stability"], 4)
    if "similarity_boost" in given:
        parameters["cfg_weight"] = round(given["similarity_boost"] * 2 / 3, 4)
    if "style" in given:
        parameters["exaggeration"] = round(0.5 + 0.5 * given["style"], 4)
    if "speed" in given:
        parameters["speed"] = given["speed"]
    return parameters
