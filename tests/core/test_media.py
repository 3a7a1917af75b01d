"""Media in a bucket and on disk: the same calls, files whole, and links that say who may fetch them."""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from time_machine import travel

from apps.core import media
from apps.core.errors import Unavailable
from tests.fakes.s3 import running_s3
from tests.platform import Server, free_port
from voiceflow.settings.media import storage

KEY = "voices/0198/c0ffee.wav"
DATA = bytes(range(256)) * 1000
FILENAME = 'Ada’s "voice".wav'


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with running_s3(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture(params=["disk", "bucket"])
def kept(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    """Media of the test's own, in each of both places."""
    environment: dict[str, Any] = {"S3_BUCKET": "", "VAR_DIR": tmp_path}
    if request.param == "bucket":
        environment |= request.getfixturevalue("s3")
    settings.STORAGES = settings.STORAGES | {"default": storage(environment)}
    settings.S3_BUCKET = environment["S3_BUCKET"]
    return str(request.param)


def link(**changed: Any) -> str:
    arguments = {"expires_seconds": 60, "filename": FILENAME, "content_type": "audio/wav"}
    return media.signed_link(KEY, **arguments | changed)


@pytest.fixture
def fetch(settings: Any, client: Client) -> Callable[..., httpx.Response]:
    """A link of the bucket is asked there, one of ours from the platform."""

    def fetched(url: str, method: str = "GET", **headers: str) -> httpx.Response:
        if settings.S3_BUCKET:
            return httpx.request(method, url, headers=headers)
        assert url.startswith(f"{settings.BASE_URL}/media/")
        answer: Any = client.generic(method, url.removeprefix(settings.BASE_URL), headers=headers)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=body)

    return fetched


def test_what_is_saved_is_read_whole_and_from_anywhere(kept: str) -> None:
    media.save(KEY, DATA)
    assert media.read(KEY) == DATA
    assert media.size(KEY) == len(DATA)
    reading = media.open_range(KEY, 1000)
    assert reading.read(10) == DATA[1000:1010]
    reading.close()


def test_a_file_is_stored_from_its_beginning_and_replaces_what_was_there(kept: str) -> None:
    media.save(KEY, b"older, and longer than what comes")
    with tempfile.TemporaryFile() as file:
        file.write(b"newer")
        media.save(KEY, file)
        assert not file.closed
    assert media.read(KEY) == b"newer"


def test_what_was_deleted_is_gone_and_may_be_deleted_again(kept: str) -> None:
    media.save(KEY, b"x")
    assert media.exists(KEY)
    for _ in range(2):
        media.delete(KEY)
    assert not media.exists(KEY)
    for ask in (media.read, media.open_range, media.size):
        with pytest.raises(FileNotFoundError):
            ask(KEY)


def test_files_of_a_folder_are_listed_with_their_age(kept: str) -> None:
    keys = {"listed/a.wav", "listed/deeper/b.wav"}
    for key in (*keys, "listed2/c.wav"):
        media.save(key, b"x")
    found = dict(media.listed("listed"))
    assert set(found) == keys
    assert all(abs(written_at.timestamp() - time.time()) < 60 for written_at in found.values())
    assert list(media.listed("nothing")) == []


def test_what_a_killed_process_left_half_written_is_removed_when_it_is_old(
    settings: Any, tmp_path: Path
) -> None:
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}
    media.save("listed/whole.wav", b"x")
    folder = tmp_path / "media" / "listed"
    for name in ("old", "new"):
        (folder / f".{name}.wav.c0ffee.part").write_bytes(b"half")
    os.utime(folder / ".old.wav.c0ffee.part", (time.time() - 7200, time.time() - 7200))
    assert [key for key, _ in media.listed("listed")] == ["listed/whole.wav"]
    assert {path.name for path in folder.iterdir()} == {"whole.wav", ".new.wav.c0ffee.part"}


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "a\n", ".hidden", "a/b c"]
)
def test_a_key_that_could_lead_elsewhere_is_refused(kept: str, key: str) -> None:
    for ask in (media.read, media.delete, media.size, lambda key: media.save(key, b"")):
        with pytest.raises(ValueError, match="not a key"):
            ask(key)


def test_a_link_gives_the_file_with_its_name_and_type(
    kept: str, fetch: Callable[..., httpx.Response]
) -> None:
    media.save(KEY, DATA)
    answer = fetch(link())
    assert answer.status_code == 200
    assert answer.content == DATA
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Content-Length"] == str(len(DATA))
    told = Message()
    told["Content-Disposition"] = answer.headers["Content-Disposition"]
    assert told.get_content_disposition() == "attachment"
    assert told.get_filename() == FILENAME
    assert fetch(link(attachment=False)).headers["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=9-999999999", 9, None),
    ],
)
def test_a_player_seeks_with_ranges(
    kept: str, fetch: Callable[..., httpx.Response], asked: str, start: int, stop: int | None
) -> None:
    media.save(KEY, DATA)
    answer = fetch(link(), Range=asked)
    assert answer.status_code == 206
    assert answer.content == DATA[start:stop]
    first, past = range(len(DATA))[start:stop][0], range(len(DATA))[start:stop][-1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{past}/{len(DATA)}"


def test_a_range_outside_says_how_long_the_file_is(kept: str, fetch: Callable[..., httpx.Response]) -> None:
    media.save(KEY, DATA)
    answer = fetch(link(), Range=f"bytes={len(DATA)}-")
    assert answer.status_code == 416
    if kept == "disk":  # moto does not say it
        assert answer.headers["Content-Range"] == f"bytes */{len(DATA)}"


class TestOnDisk:
    @pytest.fixture(autouse=True)
    def folder(self, settings: Any, tmp_path: Path) -> Path:
        settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}
        media.save(KEY, DATA)
        return tmp_path / "media"

    def test_files_are_private_and_leave_no_parts_behind(self, folder: Path) -> None:
        (path,) = (path for path in folder.rglob("*") if path.is_file())
        assert path == folder / KEY
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700

    def test_a_save_that_fails_leaves_what_was_there(self, folder: Path) -> None:
        class Broken(io.BytesIO):
            def read(self, *arguments: Any) -> bytes:
                raise OSError("the disk is full")

        with pytest.raises(OSError, match="full"):
            media.save(KEY, Broken(b"x"))
        assert media.read(KEY) == DATA
        assert len([path for path in folder.rglob("*") if path.is_file()]) == 1

    def test_a_head_and_several_ranges_and_a_bound_one(self, fetch: Callable[..., httpx.Response]) -> None:
        head = fetch(link(), "HEAD")
        assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(DATA)))
        assert head.headers["Accept-Ranges"] == "bytes"
        for headers in (
            {"Range": "bytes=0-1,5-6"},
            {"Range": "bytes=5-1"},
            {"Range": "bytes=-"},
            {"Range": "lines=1-2"},
            {"Range": "bytes=0-1", "If-Range": '"some-version"'},
        ):
            assert fetch(link(), **headers).content == DATA

    def test_nobody_guesses_what_kind_of_file_it_is(self, fetch: Callable[..., httpx.Response]) -> None:
        assert fetch(link()).headers["X-Content-Type-Options"] == "nosniff"

    def test_a_link_ends(self, fetch: Callable[..., httpx.Response]) -> None:
        url = link(expires_seconds=60)
        with travel(time.time() + 58):
            assert fetch(url).status_code == 200
        with travel(time.time() + 61):
            assert fetch(url).status_code == 404

    def test_a_forged_link_leads_nowhere(self, fetch: Callable[..., httpx.Response], settings: Any) -> None:
        url = link()
        head, _, tail = url.rpartition("/")
        for wrong in (
            f"{head}/x{tail}",
            url[:-1],
            f"{head}/x",
            f"{head}/{KEY.replace('/', '%2F')}",
            f"{url}/",
        ):
            assert fetch(wrong).status_code == 404, wrong
        settings.SECRET_KEY = "another" * 10
        settings.SECRET_KEY_FALLBACKS = []
        assert fetch(url).status_code == 404

    def test_a_link_to_what_is_gone_leads_nowhere(self, fetch: Callable[..., httpx.Response]) -> None:
        url = link()
        media.delete(KEY)
        assert fetch(url).status_code == 404

    @pytest.mark.parametrize(
        "path", [f"/media/{KEY}", f"/static/../media/{KEY}", f"/static/media/{KEY}", "/media/"]
    )
    def test_nothing_is_served_by_its_place(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 404

    def test_only_reading_is_allowed(self, client: Client, settings: Any) -> None:
        assert client.post(link().removeprefix(settings.BASE_URL)).status_code == 405


def test_a_bucket_that_is_away_is_said_so(settings: Any, s3: dict[str, str]) -> None:
    away = s3 | {"S3_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    settings.STORAGES = settings.STORAGES | {"default": storage(away)}
    settings.S3_BUCKET = away["S3_BUCKET"]
    with pytest.raises(Unavailable) as caught:
        media.save(KEY, b"x")
    assert caught.value.code == "storage_unavailable"


def test_the_running_platform_streams_it_and_logs_no_link(server: Server, settings: Any) -> None:
    """Under ASGI, from the server's own folder, with the key that signs there as here."""
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": server.folder})}
    media.save(KEY, DATA)
    path = link().removeprefix(settings.BASE_URL)
    with httpx.Client(base_url=server.url) as client:
        whole = client.get(path)
        assert (whole.status_code, whole.content) == (200, DATA)
        part = client.get(path, headers={"Range": "bytes=70000-200000"})
        assert (part.status_code, part.content) == (206, DATA[70000:200001])
        with client.stream("GET", path) as left:
            assert next(left.iter_raw(1024)) == DATA[:1024]
        assert client.get(path[:-2]).status_code == 404
        assert client.head(path).headers["Content-Length"] == str(len(DATA))
    assert path.removeprefix("/media/")[:40] not in server.log()
    assert '"path": "/media/"' in server.log()
