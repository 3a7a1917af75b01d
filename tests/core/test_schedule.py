"""Celery's schedule, which is static: every entry names a task that there is."""

from __future__ import annotations

import pytest

from voiceflow.celery import app


@pytest.mark.parametrize("entry", sorted(app.conf.beat_schedule))
def test_its_task_exists(entry: str) -> None:
    app.loader.import_default_modules()
    assert app.conf.beat_schedule[entry]["task"] in app.tasks
