"""Cloned voices whose recordings lie in S3: workers fetch them by links that end, or are sent them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from apps.core import media
from apps.deployments.models import Worker
from apps.voices.files import remove_files_of
from apps.voices.models import Voice
from apps.voices.services import set_preview
from tests.fakes.s3 import running_s3
from tests.gpu_worker.worker_process import WorkerProcess, running_worker
from tests.platform import Server, Tenant, deploy, test_database_url, wait_for_route
from tests.tts.voices.conftest import add_voice, cloning_environment, hertz_of
from voiceflow.settings.media import storage


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with running_s3(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture(scope="module")
def server(
    bucket: dict[str, str],
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A platform of this module's own, with its media in the bucket."""
    with django_db_blocker.unblock():
        running = Server(tmp_path_factory.mktemp("server"), test_database_url(), **bucket)
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture(params=["may fetch", "may not fetch"])
def worker(
    request: pytest.FixtureRequest, bucket: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WorkerProcess]:
    folder = tmp_path_factory.mktemp("worker")
    environment = cloning_environment(folder)
    if request.param == "may fetch":
        environment["REFERENCE_ORIGINS"] = bucket["S3_ENDPOINT_URL"]
    with running_worker(folder, **environment) as process:
        yield process


@pytest.fixture
def cloning(acme: Tenant, worker: WorkerProcess) -> Worker:
    row = deploy(worker, name="cloning")
    wait_for_route(acme, model="tone")
    return row


def test_a_voice_speaks_from_a_bucket(acme: Tenant, cloning: Worker, request: pytest.FixtureRequest) -> None:
    voice = add_voice(acme, hertz=521)
    fetched_before = acme.server.log().count("recording not fetched")
    for _ in range(2):
        assert hertz_of(acme.generate(voice=voice)) == pytest.approx(521, abs=2)
    fetched = acme.server.log().count("recording not fetched") == fetched_before
    assert fetched == ("may not" not in request.node.callspec.id)
    assert not (acme.server.folder / "media").exists()


@pytest.fixture
def in_bucket(bucket: dict[str, str], settings: Any) -> None:
    """This process's media, too."""
    settings.STORAGES = settings.STORAGES | {"default": storage(bucket)}
    settings.S3_BUCKET = bucket["S3_BUCKET"]


def test_the_link_to_a_clip_is_the_buckets(acme: Tenant, bucket: dict[str, str], in_bucket: None) -> None:
    voice = Voice.objects.get(pk=add_voice(acme))
    set_preview(voice=voice, mp3=b"ID3 and so on")
    url = acme.api("GET", f"/api/voices/{voice.pk}").json()["preview_url"]
    assert url.startswith(f"{bucket['S3_ENDPOINT_URL']}/{bucket['S3_BUCKET']}/{voice.preview_key}?")
    clip = httpx.get(url)
    assert (clip.content, clip.headers["Content-Type"]) == (b"ID3 and so on", "audio/mpeg")


def test_a_deleted_voice_leaves_the_bucket(acme: Tenant, bucket: dict[str, str], settings: Any) -> None:

    settings.STORAGES = settings.STORAGES | {"default": storage(bucket)}
    settings.S3_BUCKET = bucket["S3_BUCKET"]
    voice = Voice.objects.get(pk=add_voice(acme, hertz=523))
    assert media.exists(voice.reference_key)
    assert acme.api("DELETE", f"/api/voices/{voice.pk}").status_code == 204
    remove_files_of(voice.pk)
    assert not media.exists(voice.reference_key)
