"""Text made ready for an engine: pure functions, every offset counted in the caller's text."""

from gpu_worker.text.cutting import Ending
from gpu_worker.text.preparing import has_rules, prepare, speakable, spoken_map
from gpu_worker.text.rewriting import Spoken
from gpu_worker.text.splitting import Piece
from gpu_worker.text.tags import KNOWN_TAGS, UnknownTagError
from gpu_worker.text.timing import expected_seconds

__all__ = [
    "KNOWN_TAGS",
    "Ending",
    "Piece",
    "Spoken",
    "UnknownTagError",
    "expected_seconds",
    "has_rules",
    "prepare",
    "speakable",
    "spoken_map",
]
