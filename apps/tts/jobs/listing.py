"""The jobs an organization sees in the console."""

from __future__ import annotations

from django.db.models.functions import Left

from apps.accounts.models import Organization
from apps.tts.jobs.models import SpeechJob, SpeechJobQuerySet

_BEGINNING_CHARACTERS = 90


def listed_jobs(organization: Organization, *, state: str = "") -> SpeechJobQuerySet:
    """Newest first, each with the `beginning` of its text while that is kept."""
    jobs: SpeechJobQuerySet = SpeechJob.objects.for_organization(organization).present()
    if state:
        jobs = jobs.filter(state=state)
    beginning = Left("source__text", _BEGINNING_CHARACTERS)
    listed: SpeechJobQuerySet = jobs.select_related("key", "created_by").annotate(beginning=beginning)
    return listed
