"""What staff see of this room; each part of it has its own."""

from apps.tts.history.admin import HistoryItemAdmin
from apps.tts.idempotency.admin import IdempotentAnswerAdmin
from apps.tts.jobs.admin import SpeechJobAdmin

__all__ = ["HistoryItemAdmin", "IdempotentAnswerAdmin", "SpeechJobAdmin"]
