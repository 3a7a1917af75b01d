"""Mails of the demo, read in admin."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection, send_mail
from django.test import Client

from apps.console import mails

BACKEND = "django.core.mail.backends.filebased.EmailBackend"


@pytest.fixture
def mail_dir(settings: Any, tmp_path: Path) -> Path:
    settings.MAIL_DIR = tmp_path / "mail"
    settings.EMAIL_FILE_PATH = str(settings.MAIL_DIR)
    settings.EMAIL_BACKEND = BACKEND  # pytest-django puts one that keeps mails in memory
    return Path(settings.MAIL_DIR)


def test_newest_first_and_each_can_be_read(staff: Client, mail_dir: Path) -> None:
    send_mail("First", "Code: 111-222", None, ["alice@acme.example"])
    os.utime(next(mail_dir.iterdir()), (1, 1))
    send_mail("Zweite: größer", "Code: 333-444 <script>alert(1)</script>", None, ["bob@acme.example"])
    newest = mails.newest()
    assert [mail.subject for mail in newest] == ["Zweite: größer", "First"]
    listing = staff.get("/admin/mails/").content.decode()
    assert listing.index("Zweite: größer") < listing.index("First")
    page = staff.get(f"/admin/mails/{newest[0].name}/{newest[0].number}").content.decode()
    assert "Code: 333-444 &lt;script&gt;" in page
    assert "bob@acme.example" in page


def test_several_mails_in_one_file_and_html_beside_text(mail_dir: Path) -> None:
    with get_connection() as connection:
        for number in (1, 2):
            message = EmailMultiAlternatives(f"Mail {number}", f"text {number}", to=["a@b.example"])
            message.attach_alternative("<p>html</p>", "text/html")
            message.connection = connection
            message.send()
    assert [(mail.subject, mail.text.strip()) for mail in mails.newest()] == [
        ("Mail 2", "text 2"),
        ("Mail 1", "text 1"),
    ]


def test_nothing_else_is_ever_opened(staff: Client, mail_dir: Path) -> None:
    send_mail("First", "text", None, ["alice@acme.example"])
    name = mails.newest()[0].name
    (mail_dir.parent / "20260101-000000-1.log").write_text("Subject: outside\n\nsecret")
    (mail_dir / "notes.txt").write_text("Subject: notes\n\nsecret")
    (mail_dir / "20260101-000000-2.log").symlink_to(mail_dir.parent / "20260101-000000-1.log")
    tried = [
        "../20260101-000000-1.log",
        "..%2F20260101-000000-1.log",
        "notes.txt",
        "20260101-000000-2.log",
        name + "%00",
    ]
    for path in tried:
        assert staff.get(f"/admin/mails/{path}/1").status_code == 404
    assert staff.get(f"/admin/mails/{name}/2").status_code == 404


def test_no_mail_yet_says_what_to_do(staff: Client, mail_dir: Path) -> None:
    assert "No mail yet." in staff.get("/admin/mails/").content.decode()


@pytest.mark.parametrize(
    ("setting", "value"), [("DEMO_MODE", False), ("MAIL_TO_FILES", False), ("IS_PRODUCTION", True)]
)
def test_the_page_exists_in_demo_mode_only(
    staff: Client, mail_dir: Path, settings: Any, setting: str, value: bool
) -> None:
    send_mail("First", "text", None, ["alice@acme.example"])
    name = mails.newest()[0].name
    setattr(settings, setting, value)
    assert staff.get("/admin/mails/").status_code == 404
    assert staff.get(f"/admin/mails/{name}/1").status_code == 404
    assert "/admin/mails/" not in staff.get("/admin/").content.decode()
