"""What Celery does for jobs, in a queue of their own so that nothing waits behind them."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.tts.jobs import claims, cleaning, working

# The longest text becomes a file within this time; a claim that is not renewed lapses long before.
TIME_LIMIT_SECONDS = 2 * 3600
# A call that waited longer has nothing to add: the schedule calls again.
EXPIRES_SECONDS = 15


# Its queue is named in the settings.
@shared_task(expires=EXPIRES_SECONDS, time_limit=TIME_LIMIT_SECONDS, ignore_result=True)
def work() -> None:
    """One piece of work, whichever is next, and a call for more where there was some."""
    claim = claims.claim_next()
    if claim is None:
        return
    try:
        working.carry_out(claim)
    finally:
        work.delay()


@shared_task(expires=EXPIRES_SECONDS, ignore_result=True)
def wake() -> None:
    """On schedule: calls for work that nobody is at, since its task died, waited or was never called."""
    if claims.has_work():
        work.delay()


@shared_task(ignore_result=True)
def clean(job_id: str) -> None:
    cleaning.remove_parts(UUID(job_id))


@shared_task(ignore_result=True)
def tidy() -> None:
    cleaning.tidy()
