from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apps.contributions.models import Campaign
from tests.contributions.releasing import data
from voiceflow.settings.media import storage


@pytest.fixture(autouse=True)
def media_folder(settings: Any, tmp_path: Path) -> Path:
    """Media of the test's own."""
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}
    return tmp_path / "media"


@pytest.fixture
def six(campaign: Campaign) -> data.Speakers:
    """Six speakers with two clips each, and what they say of themselves."""
    return data.speakers(campaign, count=6, clips=2)
