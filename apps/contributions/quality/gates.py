"""What a campaign asks of a clip. The defaults come from real speech; each campaign may set its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What follows for a clip, from the best to the worst."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"


_ORDER = tuple(Verdict)


def worst(verdicts: list[Verdict]) -> Verdict:
    """One measure is enough to reject or to ask for review; of none it is accept."""
    return max(verdicts, key=_ORDER.index, default=Verdict.ACCEPT)


@dataclass(frozen=True, slots=True)
class Gates:
    """Where a measure stops being good. `reject_…` is worse than `review_…`; a value at a gate passes it."""

    reject_over_seconds: float = 30.0
    review_over_seconds: float = 17.0
    # A cut upload decodes to less than the client recorded. A recorder's own clock is off by under 0.3 s.
    reject_missing_seconds: float = 1.0
    review_missing_seconds: float = 0.4
    reject_under_speech_seconds: float = 0.5
    # The share of samples at the clip's own peak, which clean speech reaches for moments only.
    reject_clipped_share: float = 0.01
    review_clipped_share: float = 0.001
    reject_under_lufs: float = -45.0
    review_under_lufs: float = -35.0
    review_over_lufs: float = -14.0
    # Before the first and after the last speech: less looks cut off, more is time nobody speaks in.
    review_edge_under_seconds: float = 0.05
    review_edge_over_seconds: float = 1.5
    # DNSMOS, 1 to 5.
    reject_under_background_mos: float = 2.0
    review_under_background_mos: float = 3.2
    review_under_signal_mos: float = 2.8
    review_under_overall_mos: float = 2.7
    reject_over_word_error_rate: float = 0.5
    review_over_word_error_rate: float = 0.2
    # No transcript can be made where the language has no model: a person listens.
    unchecked_transcript: Verdict = Verdict.REVIEW
    # The share of bits that differ between two fingerprints: 0.09 at most in copies, 0.38 and more in others.
    replay_under_bit_error_rate: float = 0.30
    # The cosine between a clip's voice and the mean of the contributor's others.
    review_under_likeness: float = 0.75
