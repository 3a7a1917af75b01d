"""How good a clip sounds to people: DNSMOS P.835, at 16 kHz, 1 to 5.

Background on real speech in white, pink and babble noise (median; 5th and 95th percentile): clean 4.0
(3.4–4.2), at 20 dB 2.5 (2.0–3.0), at 10 dB 1.8 (1.2–2.3), at 0 dB 1.3 (1.1–1.5); at 30 dB of white noise 3.2,
of pink 3.5. It does not see that a clip is too quiet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from apps.contributions.quality import models
from apps.contributions.quality.decoding import Samples

RATE: Final = 16_000
# What the model hears at once: 9.01 s.
_HEARD: Final = 144_160
# From the network's figures to people's, as its authors publish them.
_SIGNAL: Final = (-0.08397278, 1.22083953, 0.0052439)
_BACKGROUND: Final = (-0.13166888, 1.60915514, -0.39604546)
_OVERALL: Final = (-0.06766283, 1.11546468, 0.04602535)


@dataclass(frozen=True, slots=True)
class Mos:
    """How the voice, the absence of noise, and both together sound."""

    signal: float
    background: float
    overall: float


def opinion(samples: Samples) -> Mos:
    """The mean over the clip, which is repeated where it is shorter than the model hears. Needs a sample.

    Windows overlap by half, and each is one run: a batch would take the memory of all at once.
    """
    if len(samples) < _HEARD:
        samples = np.resize(samples, _HEARD)
    last = len(samples) - _HEARD
    starts = np.linspace(0, last, 1 + -(-last // (_HEARD // 2))).astype(int)
    session = models.dnsmos()
    figures = [session.run(None, {"input_1": samples[None, at : at + _HEARD]})[0][0] for at in starts]
    signal, background, overall = np.mean(figures, axis=0)
    return Mos(
        float(np.polyval(_SIGNAL, signal)),
        float(np.polyval(_BACKGROUND, background)),
        float(np.polyval(_OVERALL, overall)),
    )
