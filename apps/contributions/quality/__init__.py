"""Whether a recorded clip is good, and why not: pure functions, free of Django.

`examine` answers for one uploaded file. `measure` and `judge` are its halves: figures are kept and judged
again when a campaign's gates change. `fingerprint` finds recordings that were sent before.
"""

# First of all: it keeps onnxruntime from telling its maker what it runs.
import gpu_worker  # noqa: F401
from apps.contributions.quality.decoding import DecodingTimedOut
from apps.contributions.quality.examining import examine, replay, report_of, same_speaker
from apps.contributions.quality.gates import Gates, Verdict
from apps.contributions.quality.judging import judge
from apps.contributions.quality.measuring import Figures, Measured, measure
from apps.contributions.quality.report import Audio, Measure, Report

__all__ = [
    "Audio",
    "DecodingTimedOut",
    "Figures",
    "Gates",
    "Measure",
    "Measured",
    "Report",
    "Verdict",
    "examine",
    "judge",
    "measure",
    "replay",
    "report_of",
    "same_speaker",
]
