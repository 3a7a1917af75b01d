from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from tests.cast import acme, alice, bob, charlie, globex

__all__ = ["acme", "alice", "bob", "charlie", "globex"]

Mails = Callable[[], list[EmailMessage]]


@pytest.fixture
def mails(settings: Any, tmp_path: Path) -> Mails:
    """Mails as the platform writes them without a mail server, oldest first."""
    cache.clear()  # allauth counts attempts by address and by network
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)

    def read() -> list[EmailMessage]:
        contents = [path.read_bytes() for path in sorted(tmp_path.glob("*.log"), key=_written)]
        parts = [
            part for content in contents for part in content.split(b"\n" + b"-" * 79 + b"\n") if part.strip()
        ]
        return [message_from_bytes(part.lstrip(), policy=policy.default) for part in parts]  # type: ignore[misc]

    return read


def _written(path: Path) -> int:
    """Names of mail files tell the second only."""
    return path.stat().st_mtime_ns
