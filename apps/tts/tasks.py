from __future__ import annotations

from celery import shared_task

from apps.tts.idempotency import claims


@shared_task
def remove_idempotent_answers() -> int:
    return claims.remove_expired()


@shared_task
def sweep_idempotent_answers() -> int:
    return claims.sweep()
