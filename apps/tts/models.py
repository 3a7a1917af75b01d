"""The rows of this room; each part of it has its own."""

from apps.tts.history.models import HistoryItem
from apps.tts.idempotency.models import IdempotentAnswer
from apps.tts.jobs.models import JobPart, JobText, SpeechJob

__all__ = ["HistoryItem", "IdempotentAnswer", "JobPart", "JobText", "SpeechJob"]
