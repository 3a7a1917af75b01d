"""An organization that has long texts spoken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from apps.accounts.models import Organization, User
from apps.keys.identity import Identity, identity_of_key, identity_of_organization
from apps.keys.models import ApiKey
from apps.keys.services import issue_key
from apps.tts.jobs import claims, working
from apps.tts.jobs.models import SpeechJob
from apps.tts.jobs.services import create_job
from apps.tts.request import SpeechBody
from apps.usage.models import UsageRecord


@dataclass
class Customer:
    organization: Organization
    owner: User
    keys: dict[str, ApiKey] = field(default_factory=dict)

    def key(self, mode: str = "live") -> ApiKey:
        if mode not in self.keys:
            self.keys[mode] = issue_key(
                organization=self.organization, name=mode, mode=mode, scopes=["speech"], created_by=self.owner
            ).key
        return self.keys[mode]

    def identity(self, mode: str | None = "live") -> Identity:
        """Without a mode, that of the console."""
        if mode is None:
            return identity_of_organization(self.organization.pk)
        return identity_of_key(self.key(mode).pk)

    def job(self, text: str, *, mode: str | None = "live", title: str = "", **body: Any) -> SpeechJob:
        made, is_new = create_job(
            identity=self.identity(mode), body=SpeechBody(text=text, **body), title=title
        )
        assert is_new
        return made

    def records(self) -> list[UsageRecord]:
        """Oldest first."""
        return list(UsageRecord.objects.for_organization(self.organization).order_by("id"))


def work_once() -> claims.Kind | None:
    """The next piece of work, done in this process; which kind it was."""
    claim = claims.claim_next()
    if claim is None:
        return None
    working.carry_out(claim)
    return claim.kind


def work_off(*, most: int = 200) -> int:
    """Everything that can be done now; how many pieces of work it was."""
    for done in range(most):
        if work_once() is None:
            return done
    raise AssertionError(f"still not done after {most} pieces of work")


def fresh(job: SpeechJob) -> SpeechJob:
    return SpeechJob.objects.get(pk=job.pk)
