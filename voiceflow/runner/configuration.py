"""What one start of the platform is made of: folders, address and the children's environment."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import environ as django_environ

from .errors import StartFailedError
from .secrets import with_secrets

CHECKOUT = Path(__file__).resolve().parent.parent.parent
_DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Configuration:
    checkout: Path
    var_dir: Path
    host: str
    port: int
    environ: dict[str, str]  # of every child, without the URLs of embedded services

    @property
    def base_url(self) -> str:
        return self.environ["BASE_URL"]

    @property
    def local_url(self) -> str:
        """How this machine reaches the web process, whatever BASE_URL says."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def has_external(self, name: str) -> bool:
        return bool(self.environ.get(name))


def load(environ: Mapping[str, str], checkout: Path = CHECKOUT) -> Configuration:
    """From the environment, then `.env`, then defaults of a development machine.

    Raises `StartFailedError` for a PORT that is none. Makes no file but the kept secrets.
    """
    values = _with_dotenv(environ, checkout / ".env")
    port = _port(values.get("PORT", ""))
    host = values.get("HOST") or "127.0.0.1"
    var_dir = (checkout / (values.get("VAR_DIR") or "var")).resolve()
    values.setdefault("VOICEFLOW_ENV", "development")
    if values["VOICEFLOW_ENV"] != "production":
        values = with_secrets(values, var_dir / "secrets.env")
        # A newcomer's receiver is a program on the same laptop.
        values.setdefault("OUTBOUND_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128")
    values.setdefault("BASE_URL", f"http://localhost:{port}")
    values |= {"PORT": str(port), "VAR_DIR": str(var_dir), "PYTHONUNBUFFERED": "1"}
    values.setdefault("DJANGO_SETTINGS_MODULE", "voiceflow.settings")
    # Six processes would compile the same modules anew at every start.
    values.pop("PYTHONDONTWRITEBYTECODE", None)
    return Configuration(checkout=checkout, var_dir=var_dir, host=host, port=port, environ=values)


def require_free_port(configuration: Configuration) -> None:
    """Raises `StartFailedError`, which names a way out, when the port cannot be had."""
    family = socket.AF_INET6 if ":" in configuration.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((configuration.host, configuration.port))
        except OSError as error:
            port = configuration.port
            if error.errno == errno.EADDRINUSE:
                reason = f"Port {port} is in use by another program"
            elif error.errno == errno.EACCES:
                reason = f"Port {port} needs more rights than you have"
            else:
                reason = f"Cannot listen on {configuration.host}:{port} ({error.strerror})"
            message = f"{reason}. Choose another: PORT={port + 1 if port >= 1024 else 8080} make run"
            raise StartFailedError(message) from None


def _with_dotenv(environ: Mapping[str, str], path: Path) -> dict[str, str]:
    if not path.is_file() or environ.get("VOICEFLOW_ENV") == "test":
        return {name: value for name, value in environ.items() if value}
    # django-environ writes into os.environ and keeps what is set there; the settings read it the same way.
    django_environ.Env.read_env(path)
    return {name: value for name, value in {**os.environ, **environ}.items() if value}


def _port(raw: str) -> int:
    if not raw:
        return _DEFAULT_PORT
    if not raw.isascii() or not raw.isdigit() or int(raw) > 65535:
        raise StartFailedError(f"PORT must be a number from 0 to 65535, not {raw!r}.")
    return int(raw) or _free_port()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
