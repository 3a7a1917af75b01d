"""The worker's settings, from the environment alone."""

from __future__ import annotations

import ipaddress
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gpu_worker.consent import MIN_CONSENT_SECRET_CHARACTERS
from gpu_worker.protocol import CHATTERBOX_ENGINES
from gpu_worker.references.fetching import origin_of

ENGINES: Final = ("cpu", "tone", *CHATTERBOX_ENGINES)
DEVICES: Final = ("auto", "cpu", "cuda")
DTYPES: Final = ("float32", "bfloat16")
ENVIRONMENTS: Final = ("production", "development", "test")
LOG_FORMATS: Final = ("auto", "json", "console")
MIN_TOKEN_CHARACTERS: Final = 16


class SettingsError(ValueError):
    """One line for each variable that is missing or malformed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Defaults are those of a worker alone on a developer's machine."""

    engine: str = "cpu"
    environment: str = "development"
    host: str = "127.0.0.1"
    port: int = 8000
    port_file: Path | None = None
    token: str | None = None
    health_open: bool = True
    metrics_open: bool = True
    log_format: str = "auto"
    max_queue: int = 128
    threads: int = 1
    drain_seconds: float = 30.0
    tone_real_time_factor: float = 0.0
    tone_batch: int = 1
    model_dir: Path | None = None
    device: str = "auto"
    dtype: str = "float32"
    max_batch: int = 0
    flow_seconds: float = 10.0
    consent_secret: str | None = None
    reference_origins: tuple[str, ...] = ()
    voice_cache: Path = field(default_factory=lambda: _default_voice_cache(os.environ))
    voice_cache_bytes: int = 512_000_000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads and checks all of them. Raises SettingsError."""
        reader = _Reader(environment)
        port_file = environment.get("PORT_FILE", "")
        worker_env = reader.choice("WORKER_ENV", ENVIRONMENTS, default="development")
        settings = cls(
            engine=reader.choice("ENGINE", ENGINES, default="cpu"),
            environment=worker_env,
            host=environment.get("HOST") or "127.0.0.1",
            port=int(reader.number("PORT", 0, 65_535, 8000, whole=True)),
            port_file=Path(port_file) if port_file else None,
            token=reader.token(),
            health_open=reader.switch("HEALTH_OPEN", default=True),
            metrics_open=reader.switch("METRICS_OPEN", default=worker_env != "production"),
            log_format=reader.choice("LOG_FORMAT", LOG_FORMATS, default="auto"),
            max_queue=int(reader.number("MAX_QUEUE", 1, 100_000, 128, whole=True)),
            threads=int(reader.number("THREADS", 1, 256, usable_cores(), whole=True)),
            drain_seconds=reader.number("DRAIN_SECONDS", 0, 3600, 30),
            tone_real_time_factor=reader.number("TONE_REAL_TIME_FACTOR", 0, 100, 0),
            tone_batch=int(reader.number("TONE_BATCH", 1, 1024, 1, whole=True)),
            model_dir=Path(environment["MODEL_DIR"]) if environment.get("MODEL_DIR") else None,
            device=reader.choice("DEVICE", DEVICES, default="auto"),
            dtype=reader.choice("DTYPE", DTYPES, default="float32"),
            max_batch=int(reader.number("MAX_BATCH", 0, 256, 0, whole=True)),
            flow_seconds=reader.number("FLOW_SECONDS", 3, 10, 10),
            consent_secret=environment.get("CONSENT_SECRET") or None,
            reference_origins=reader.origins("REFERENCE_ORIGINS"),
            voice_cache=reader.folder("VOICE_CACHE", _default_voice_cache(environment)),
            voice_cache_bytes=1_000_000 * int(reader.number("VOICE_CACHE_MB", 8, 1e6, 512, whole=True)),
        )
        problems = [*reader.problems, *settings._problems()]
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    @property
    def sessions(self) -> int:
        """How many engine threads there are: of Chatterbox one, for which `threads` share the arithmetic."""
        return 1 if self.engine in CHATTERBOX_ENGINES else self.threads

    def _problems(self) -> list[str]:
        problems = []
        if self.environment == "production" and self.engine == "tone":
            problems.append("ENGINE=tone speaks a test tone and does not start in production; use cpu.")
        if self.token is None and self.environment == "production":
            problems.append("WORKER_TOKEN (or API_KEY) is required in production.")
        elif self.token is None and not _is_loopback(self.host):
            problems.append(
                f"WORKER_TOKEN (or API_KEY) is required where HOST is not loopback; HOST is {self.host}."
            )
        if self.token is not None and len(self.token) < MIN_TOKEN_CHARACTERS:
            problems.append(
                f"WORKER_TOKEN (or API_KEY) must have at least {MIN_TOKEN_CHARACTERS} characters."
            )
        if self.token is not None and not (self.token.isascii() and self.token.isprintable()):
            problems.append("WORKER_TOKEN (or API_KEY) must be printable ASCII, as HTTP headers are.")
        if self.consent_secret is not None and len(self.consent_secret) < MIN_CONSENT_SECRET_CHARACTERS:
            problems.append(f"CONSENT_SECRET must have at least {MIN_CONSENT_SECRET_CHARACTERS} characters.")
        if self.model_dir is not None and not self.model_dir.is_dir():
            problems.append(f"MODEL_DIR is no folder: {self.model_dir}.")
        if self.port_file is not None and (problem := _file_problem(self.port_file)):
            problems.append(f"PORT_FILE {problem}: {self.port_file}.")
        return problems


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self._environment.get(name) or default
        if value not in choices:
            self.problems.append(f"{name} must be one of {', '.join(choices)}; it is {value!r}.")
        return value

    def switch(self, name: str, *, default: bool) -> bool:
        return self.choice(name, ("true", "false"), default=str(default).lower()) == "true"

    def token(self) -> str | None:
        """Both names of it are one setting."""
        token, api_key = (self._environment.get(name) for name in ("WORKER_TOKEN", "API_KEY"))
        if token and api_key and token != api_key:
            self.problems.append("WORKER_TOKEN and API_KEY are two names of one token, and differ; set one.")
        return token or api_key or None

    def origins(self, name: str) -> tuple[str, ...]:
        """As `https://storage.example:443`; in the environment separated by commas or blanks."""
        origins = []
        for url in (self._environment.get(name) or "").replace(",", " ").split():
            try:
                origins.append(origin_of(url, alone=True))
            except ValueError:
                self.problems.append(f"{name} must list origins such as https://s3.example; {url!r} is none.")
        return tuple(origins)

    def folder(self, name: str, default: Path) -> Path:
        path = Path(self._environment.get(name) or default)
        if not path.is_absolute():
            self.problems.append(f"{name} must be an absolute path; it is {str(path)!r}.")
        return path

    def number(self, name: str, low: float, high: float, default: float, *, whole: bool = False) -> float:
        text = self._environment.get(name) or str(default)
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            self.problems.append(f"{name} must be {kind} from {low:.10g} to {high:.10g}; it is {text!r}.")
            return default
        return value


def _file_problem(path: Path) -> str | None:
    """Why a file cannot be written there."""
    if path.is_dir():
        return "is a folder"
    if not path.parent.is_dir():
        return "lies in a folder that does not exist"
    return None if os.access(path.parent, os.W_OK | os.X_OK) else "lies in a folder that cannot be written to"


def _default_voice_cache(environment: Mapping[str, str]) -> Path:
    """In the user's cache folder, or where there is none in a temporary one of this user's own."""
    if home := environment.get("XDG_CACHE_HOME"):
        return Path(home) / "voiceflow-worker" / "voices"
    if home := environment.get("HOME"):
        return Path(home) / ".cache" / "voiceflow-worker" / "voices"
    return Path(tempfile.gettempdir()) / f"voiceflow-voices-{os.geteuid()}"


def usable_cores() -> int:
    """Cores that this process may use: its affinity, and a container's quota where one is set."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
