"""The runner's parts that need no process."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path

from voiceflow.runner.console import Console
from voiceflow.runner.secrets import development_secrets, read_assignments, with_secrets
from voiceflow.runner.staticfiles import fingerprint


def test_lines_of_many_processes_are_never_mixed() -> None:
    out = io.BytesIO()
    console = Console(out, colour=False)
    threads = []
    for name in ("web", "celery", "provider"):
        read_end, write_end = os.pipe()
        threads.append(console.pump(name, os.fdopen(read_end, "rb")))
        threads.append(threading.Thread(target=write_in_pieces, args=(write_end, name)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    lines = out.getvalue().decode().splitlines()
    assert len(lines) == 3 * 200
    assert set(lines) == {f"{name:<9}| {name * 9}" for name in ("web", "celery", "provider")}


def write_in_pieces(descriptor: int, name: str) -> None:
    with os.fdopen(descriptor, "wb", buffering=0) as pipe:
        for _ in range(200):
            for _ in range(9):
                pipe.write(name.encode())
            pipe.write(b"\n")


def test_a_last_line_without_an_end_is_shown() -> None:
    out = io.BytesIO()
    Console(out, colour=False).pump("web", io.BytesIO(b"first\r\nlast")).join()
    assert out.getvalue() == b"web      | first\nweb      | last\n"


def test_only_names_are_coloured() -> None:
    out = io.BytesIO()
    Console(out, colour=True).pump("web", io.BytesIO(b"hello\n")).join()
    assert out.getvalue() == b"\x1b[36mweb      | \x1b[0mhello\n"


def test_a_reader_that_went_away_stops_nothing() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb", buffering=0) as gone:
        console = Console(gone, colour=False)
        console.say("nobody hears")
        console.say("this either")


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secrets.env"
    first = development_secrets(path)
    made = {"SECRET_KEY", "KEY_PEPPERS", "FIELD_ENCRYPTION_KEYS", "CONSENT_SECRET", "ADMIN_PASSWORD"}
    assert set(first) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert development_secrets(path) == first


def test_a_secret_that_is_missing_is_added_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    path.write_text("SECRET_KEY=kept\n")
    path.chmod(0o644)
    assert development_secrets(path)["SECRET_KEY"] == "kept"
    assert set(read_assignments(path)) == {
        "SECRET_KEY",
        "KEY_PEPPERS",
        "FIELD_ENCRYPTION_KEYS",
        "CONSENT_SECRET",
        "ADMIN_PASSWORD",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_environment_goes_before_kept_secrets(tmp_path: Path) -> None:
    values = with_secrets({"SECRET_KEY": "ours", "KEY_PEPPERS": ""}, tmp_path / "secrets.env")
    assert values["SECRET_KEY"] == "ours"
    assert values["KEY_PEPPERS"].startswith("1:")


def test_the_fingerprint_changes_with_a_static_file(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("django==5.2.19\n")
    sheet = tmp_path / "apps" / "console" / "static" / "console.css"
    sheet.parent.mkdir(parents=True)
    sheet.write_text("a {}")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    sheet.write_text("b {}\n")
    assert fingerprint(tmp_path) != before
