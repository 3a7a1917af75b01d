"""The older image at the stand-in of Verda: deployed, heard, and its doors shut to whoever has no token."""

from __future__ import annotations

import httpx
import pytest

from apps.deployments.models import Deployment
from tests.deployments.verda.hall import OLDER_IMAGE
from tests.deployments.verda.running import Platform, hall, platform, server, verda

__all__ = ["hall", "platform", "server", "verda"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.mark.parametrize("kind", ["serverless", "dedicated"])
def test_the_older_image_from_a_call_to_nothing_left(platform: Platform, kind: str) -> None:
    platform.model = "chatterbox"
    platform.deploy(kind, engine="chatterbox", image=OLDER_IMAGE)
    shown = platform.shown()
    assert (shown["image"], shown["models"], shown["voices"]) == (OLDER_IMAGE, ["chatterbox"], ["default"])
    platform.speaks()
    platform.streams()

    [(key, started)] = platform.hall.workers.items()
    given, worker = dict(key[2]), started.result()
    assert given["API_KEY"] == Deployment.objects.get().worker_token
    refused = httpx.post(f"{worker.url}/generate", json={"text": "Is anybody there?"})
    assert refused.status_code == 401
    platform.delete()
