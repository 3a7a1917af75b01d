"""Processes of the platform over the test's database and media, for tests that kill them."""

from __future__ import annotations

import os
from pathlib import Path

from tests.platform import test_database_url
from tests.tts.jobs.celery_worker import Surroundings

# As the database knows their sessions.
NAME = "voiceflow-dying"


def surroundings(media_folder: Path) -> Surroundings:
    """Where a process runs whose files are those of the test."""
    environment = {
        "DATABASE_URL": test_database_url(),
        "VAR_DIR": str(media_folder.parent),
        "PGAPPNAME": NAME,
    }
    return Surroundings(media_folder.parent, {**os.environ, **environment})
