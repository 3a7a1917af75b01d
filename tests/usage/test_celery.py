"""A real Celery worker: sums are made, a limit that is reached is noticed, and the mail arrives."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core import processes
from apps.usage.models import RollupState, UsageDay, UsageNotice
from apps.usage.services import set_limits
from apps.usage.tasks import roll_up
from tests.platform import CHECKOUT, test_database_url, until
from tests.usage.rows import record

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[Path]:
    """The folder of a running worker's files."""
    environment = {**os.environ, "DATABASE_URL": test_database_url(), "VAR_DIR": str(tmp_path)}
    options = ["--quiet", "--app", "voiceflow.runner.celery_worker", "worker", "--concurrency", "1"]
    process = processes.spawn(
        [sys.executable, "-W", "ignore", "-m", "celery", *options],
        env=environment,
        log=tmp_path / "celery.log",
        cwd=CHECKOUT,
    )
    yield tmp_path
    processes.terminate(process, grace_seconds=10)


def test_from_a_request_to_a_mail(acme: Organization, worker: Path) -> None:
    set_limits(
        organization=acme,
        requests_per_minute=None,
        concurrent_requests=None,
        characters_per_request=None,
        characters_per_month=100,
    )
    record(acme, at=timezone.now() - timedelta(days=2))
    record(acme, characters=75, characters_charged=75)
    roll_up.delay()

    def mail() -> str:
        return "".join(file.read_text() for file in (worker / "mail").glob("*"))

    until(mail, seconds=60, what="the mail")
    assert "To: alice@acme.example" in mail()
    assert "Acme has used" in mail()
    until(lambda: UsageNotice.objects.get(threshold=80).mailed_at, what="the end of the task")
    assert RollupState.objects.get().rolled_up_at is not None
    assert UsageDay.objects.get().requests == 1
    roll_up.delay()
    until(lambda: RollupState.objects.get().rolled_up_at > timezone.now() - timedelta(seconds=5), seconds=60)
    assert mail().count("To: alice@acme.example") == 1
