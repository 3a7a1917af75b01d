"""pytest plugin: PostgreSQL and Redis for the session, before Django reads its settings.

Loaded by `-p tests.services` (see pyproject.toml). Where DATABASE_URL and REDIS_URL are set, those servers
are used. Under pytest-xdist the controller starts the services and its workers inherit their URLs; each
worker has a test database (pytest-django's doing), a Redis database and a VAR_DIR of its own.
All files of a session lie in `var/test/<session>`, apart from those of a running `make run`.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import certifi
import pytest
from cryptography.fernet import Fernet

from apps.core import processes
from apps.core.embedded.clean import clean
from apps.core.embedded.lock import LockHeldError
from apps.core.embedded.services import Services

CHECKOUT = Path(__file__).resolve().parent.parent
SESSIONS = CHECKOUT / "var" / "test"
_NO_TESTS_RUN = {"-h", "--help", "--version", "-V", "--collect-only", "--co", "--fixtures", "--markers"}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        _make_worker_its_own(int(worker.removeprefix("gw")) + 1)
        return
    os.environ["VOICEFLOW_ENV"] = "test"
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(64)
    os.environ["FIELD_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()
    os.environ["KEY_PEPPERS"] = f"1:{secrets.token_hex(32)}"
    os.environ["CONSENT_SECRET"] = secrets.token_urlsafe(48)
    if _NO_TESTS_RUN.intersection(args):
        return
    folder = _new_session_folder()
    early_config.add_cleanup(lambda: _remove(folder))
    os.environ["VAR_DIR"] = str(folder / "var")
    os.environ["SSL_CERT_FILE"] = str(_one_authority(folder))
    missing = {name: not os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL")}
    if any(missing.values()):
        services = Services.start(
            folder, durable=False, postgres=missing["DATABASE_URL"], redis=missing["REDIS_URL"]
        )
        early_config.add_cleanup(services.stop)
        os.environ.update(services.urls)


def _make_worker_its_own(number: int) -> None:
    os.environ["VAR_DIR"] = f"{os.environ['VAR_DIR']}-{number}"
    parts = urlsplit(os.environ["REDIS_URL"])
    os.environ["REDIS_URL"] = urlunsplit(parts._replace(path=f"/{number}"))


def _new_session_folder() -> Path:
    """A folder named after this process; those of processes that were killed are removed on the way."""
    for folder in SESSIONS.glob("*-*-*"):
        pid, _, started = folder.name.partition("-")
        if processes.find(int(pid), started.replace("-", ":")) is None:
            _remove(folder)
    identity = processes.identity(os.getpid()) or "unknown"
    folder = SESSIONS / f"{os.getpid()}-{identity.replace(':', '-')}"
    folder.mkdir(parents=True)
    return folder


def _one_authority(folder: Path) -> Path:
    """For HTTP clients, none of which leaves loopback: each takes 30 ms to read all that certifi knows."""
    end = "-----END CERTIFICATE-----\n"
    path = folder / "authority.pem"
    path.write_text(Path(certifi.where()).read_text().partition(end)[0] + end)
    return path


def _remove(folder: Path) -> None:
    try:
        clean(folder)
    except (LockHeldError, FileNotFoundError):
        return  # another session is removing it
