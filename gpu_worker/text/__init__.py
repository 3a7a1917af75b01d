"""Text made ready for an engine: pure functions, every offset counted in the caller's text."""

from gpu_worker.text.splitting import Piece, split
from gpu_worker.text.tags import KNOWN_TAGS, UnknownTagError, without_tags

__all__ = ["KNOWN_TAGS", "Piece", "UnknownTagError", "split", "without_tags"]
