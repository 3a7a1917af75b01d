"""How well copies are told from other clips, and voices from other voices, beyond single verdicts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.contributions.quality import Gates, fingerprint, speaker
from bench.quality_cases import CLEAN, REPEATED, Outcome

# Each with each: the time grows with its square.
_MOST_COMPARED = 40
_KNOWN = 5


def prints(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Bit errors of copies and of other clips, and how many exact values find a copy among the others."""
    clean = {
        one.text: fingerprint.deserialise(one.fingerprint)
        for one in outcomes
        if one.damage == CLEAN and one.fingerprint
    }
    keys = {text: set(fingerprint.index_keys(values)) for text, values in clean.items()}
    copies = [one for one in outcomes if one.damage in REPEATED and one.fingerprint]
    with_original, with_others = [], []
    for one in copies:
        mine = set(fingerprint.index_keys(fingerprint.deserialise(one.fingerprint or b"")))
        with_original.append(len(mine & keys.get(one.text, set())))
        with_others.append(max(len(mine & other) for text, other in keys.items() if text != one.text))
    few = list(clean.values())[:_MOST_COMPARED]
    apart = [fingerprint.bit_error_rate(one, other) for at, one in enumerate(few) for other in few[at + 1 :]]
    return {
        "copies_bit_errors_max": max((one.replay for one in copies if one.replay is not None), default=0.0),
        "others_bit_errors_min": min(apart, default=1.0),
        "others_compared": len(apart),
        "keys_shared_with_original_min": min(with_original, default=0),
        "keys_shared_with_original_p5": _percentile(with_original, 5),
        "keys_shared_with_others_max": max(with_others, default=0),
    }


def voices(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Of clean clips: likeness to five others of the same speaker, and to five of each other speaker."""
    by_speaker: dict[str, list[bytes]] = {}
    for one in outcomes:
        if one.damage == CLEAN and one.voice:
            by_speaker.setdefault(one.speaker, []).append(one.voice)
    same: list[float] = []
    different: list[float] = []
    for name, found in by_speaker.items():
        if len(found) < _KNOWN:
            continue
        for voice in found:
            others = [other for other in found if other is not voice][:_KNOWN]
            same.append(speaker.likeness(voice, others) or 0.0)
        for other_name, strangers in by_speaker.items():
            if other_name != name:
                different += [speaker.likeness(voice, found[:_KNOWN]) or 0.0 for voice in strangers]
    gate = Gates().review_under_likeness
    return {
        "speakers": len(by_speaker),
        "same_compared": len(same),
        "others_compared": len(different),
        "same_sent_to_review": float(np.mean([one < gate for one in same])) if same else 0.0,
        "others_sent_to_review": float(np.mean([one < gate for one in different])) if different else 0.0,
        "same_p5": _percentile(same, 5),
        "others_p95": _percentile(different, 95),
    }


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else 0.0
