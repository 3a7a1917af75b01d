"""`python -m gpu_worker.healthcheck`: exit status 0 where the worker of this environment answers, else 1."""

from __future__ import annotations

import http.client
import os
import sys
from typing import Final

from gpu_worker.config import Settings, SettingsError
from gpu_worker.protocol import TOKEN_HEADER

_TIMEOUT_SECONDS: Final = 4.0
# What listens on every address listens on loopback.
_EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared


def is_healthy(settings: Settings) -> bool:
    """Asks `/health` where a worker of these settings listens."""
    host = _EVERY_ADDRESS.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health", headers={TOKEN_HEADER: settings.token or ""})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    """The exit status."""
    try:
        return 0 if is_healthy(Settings.from_environment(os.environ)) else 1
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's own words
        return 1


if __name__ == "__main__":
    sys.exit(main())
