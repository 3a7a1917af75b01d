"""The rows of this room; each part of it has its own."""

from apps.tts.idempotency.models import IdempotentAnswer

__all__ = ["IdempotentAnswer"]
