"""Mails that were written to files because there is no mail server, for staff of a demo to read."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from django.conf import settings

# As Django's file backend names them; nothing else is ever opened.
NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{1,20}\.log")
_BETWEEN = b"-" * 79 + b"\n"
_SHOWN = 200
_LONGEST_BYTES = 1_000_000


@dataclass(frozen=True)
class Mail:
    name: str
    number: int
    written_at: datetime
    sender: str
    to: str
    subject: str
    text: str


def available() -> bool:
    return bool(settings.DEMO_MODE and settings.MAIL_TO_FILES and not settings.IS_PRODUCTION)


def newest() -> list[Mail]:
    """The last mails, newest first."""
    if not settings.MAIL_DIR.is_dir():
        return []
    files = [path for path in settings.MAIL_DIR.iterdir() if NAME.fullmatch(path.name) and path.is_file()]
    files.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [mail for path in files[:_SHOWN] for mail in reversed(_mails_in(path))]


def one(name: str, number: int) -> Mail | None:
    if not NAME.fullmatch(name):
        return None
    path = Path(settings.MAIL_DIR) / name
    if path.is_symlink() or not path.is_file():
        return None
    return next((mail for mail in _mails_in(path) if mail.number == number), None)


def _mails_in(path: Path) -> list[Mail]:
    with path.open("rb") as file:
        content = file.read(_LONGEST_BYTES)
    written_at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    parts = [part for part in content.split(_BETWEEN) if part.strip()]
    return [_parsed(part, path.name, number, written_at) for number, part in enumerate(parts, start=1)]


def _parsed(raw: bytes, name: str, number: int, written_at: datetime) -> Mail:
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what the default policy makes
    body = message.get_body(preferencelist=("plain", "html"))
    return Mail(
        name=name,
        number=number,
        written_at=written_at,
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or "(no subject)"),
        text=str(body.get_content()) if body else "",
    )
