"""The environment, read once; a bad variable stops the start with one line."""

import os
import sys
from typing import Any

import environ

from .environment import BASE_DIR, ConfigurationError, read_environment

if (BASE_DIR / ".env").is_file() and os.environ.get("VOICEFLOW_ENV") != "test":
    environ.Env.read_env(BASE_DIR / ".env")


def _read() -> dict[str, Any]:
    try:
        return read_environment(os.environ)
    except ConfigurationError as error:
        sys.exit(f"voiceflow: {error}")


ENV = _read()
