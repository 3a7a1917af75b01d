"""Every setting that comes from the environment: name, shape, default, and what it is for.

A variable is read once, here. `read_environment` raises `ConfigurationError` with one line that names the
variable and what is wrong with it; nothing insecure has a default in production.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from gpu_worker.protocol import MIN_CONSENT_SECRET_CHARACTERS

BASE_DIR = Path(__file__).resolve().parent.parent.parent
ENVIRONMENTS = ("production", "development", "test")
GOOGLE_URL = "https://accounts.google.com"
GITHUB_URL = "https://github.com"
VERDA_URL = "https://api.verda.com/v1"


class ConfigurationError(Exception):
    """A setting is missing or malformed; the message is one line for the operator."""


def text(raw: str) -> str:
    return raw


def words(raw: str) -> list[str]:
    return [part.strip() for part in raw.split(",") if part.strip()]


def boolean(raw: str) -> bool:
    value = raw.strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ValueError("must be true or false")


def whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not re.fullmatch(r"-?\d+", raw.strip()) or not minimum <= int(raw) <= maximum:
            raise ValueError(f"must be a whole number from {minimum} to {maximum}")
        return int(raw)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return raw

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        parts = urlsplit(raw)
        if parts.scheme not in schemes:
            raise ValueError(f"must be a URL that starts with {' or '.join(f'{s}://' for s in schemes)}")
        if not (parts.netloc or parts.path or parts.query):
            raise ValueError("must be a whole URL")
        return raw.rstrip("/")

    return parse


def optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Empty stays empty: what is not used."""
    return lambda raw: parse(raw) if raw else ""


def issuer(raw: str) -> str:
    """As OpenID Connect has it: the address that discovery is asked at, without the path of discovery."""
    address = url("https", "http")(raw)
    parts = urlsplit(address)
    if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment or "/.well-known/" in raw:
        raise ValueError("must be the issuer alone, without /.well-known/openid-configuration or a query")
    return address


def origins(raw: str) -> list[str]:
    found = [url("https", "http")(part) for part in words(raw)]
    for origin in found:
        if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", origin):
            raise ValueError("must be origins alone, such as https://login.example.com, with commas between")
    return found


def label(raw: str) -> str:
    if not 1 <= len(raw.strip()) <= 40 or not raw.isprintable():
        raise ValueError("must be one line of 1 to 40 characters")
    return raw.strip()


def bucket(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]", raw):
        raise ValueError("must be the name of a bucket alone")
    return raw


def prefix(raw: str) -> str:
    if not re.fullmatch(r"[a-z0-9]{1,8}", raw):
        raise ValueError("must be 1 to 8 lower-case letters and digits")
    return raw


def path(raw: str) -> Path:
    return (BASE_DIR / raw).resolve()


def program(raw: str) -> Path:
    """As it is named: the Python of a virtual environment is a link, and knows where it is by its name."""
    return BASE_DIR / raw


def long_secret(raw: str) -> str:
    if len(raw) < 50:
        raise ValueError("must have at least 50 characters")
    return raw


def consent_secret(raw: str) -> str:
    if raw and len(raw) < MIN_CONSENT_SECRET_CHARACTERS:
        raise ValueError(f"must have at least {MIN_CONSENT_SECRET_CHARACTERS} characters")
    return raw


def metrics_token(raw: str) -> str:
    if raw and (len(raw) < 16 or not raw.isascii()):
        raise ValueError("must have at least 16 ASCII characters")
    return raw


def fernet_keys(raw: str) -> list[str]:
    keys = words(raw)
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            raise ValueError("must be Fernet keys (32 bytes in URL-safe base64), newest first") from None
    if not keys:
        raise ValueError("must hold at least one Fernet key")
    return keys


def peppers(raw: str) -> dict[int, bytes]:
    """`2:hex,1:hex`, newest first: id → secret of at least 32 bytes."""
    result: dict[int, bytes] = {}
    for entry in words(raw):
        number, _, secret = entry.partition(":")
        if not re.fullmatch(r"[0-9]{1,4}", number) or not re.fullmatch(r"(?:[0-9a-fA-F]{2}){32,}", secret):
            raise ValueError("must look like 1:HEX with at least 64 hexadecimal digits, newest first")
        result[int(number)] = bytes.fromhex(secret)
    if not result:
        raise ValueError("must hold at least one pepper")
    return result


def networks(raw: str) -> list[IPv4Network | IPv6Network]:
    """`10.1.0.0/16, fd00:1::/32`; an address alone is a network of one."""
    result: list[IPv4Network | IPv6Network] = []
    for entry in words(raw):
        try:
            result.append(ip_network(entry))
        except ValueError:
            raise ValueError(f"must be networks like 10.1.0.0/16, and {entry!r} is not one") from None
    return result


@dataclass(frozen=True)
class Variable:
    """One environment variable.

    `default` is the raw text used where it is unset; `None` means required. `development` replaces the
    default outside production, for what is only safe there.
    """

    name: str
    parse: Callable[[str], Any]
    help: str
    default: str | None = None
    development: str | None = None


# Throwaway values: `make run` makes its own and keeps them under var/.
_DEV_SECRET = "insecure-development-secret-" + "x" * 40
_DEV_FERNET = "ZGV2ZWxvcG1lbnQtb25seS1mZXJuZXQta2V5LTAwMDA="
_DEV_PEPPER = "1:" + "00" * 32

VARIABLES: tuple[Variable, ...] = (
    Variable("VOICEFLOW_ENV", one_of(*ENVIRONMENTS), "production, development or test", "production"),
    Variable("SECRET_KEY", long_secret, "Django's signing key, 50 characters or more", None, _DEV_SECRET),
    Variable("SECRET_KEY_FALLBACKS", words, "older signing keys, while rotating", ""),
    Variable("ALLOWED_HOSTS", words, "host names that are served", None, "localhost,127.0.0.1,[::1]"),
    Variable("BASE_URL", url("https", "http"), "how people reach us", None, "http://localhost:8080"),
    Variable(
        "DATABASE_URL",
        url("postgres", "postgresql"),
        "PostgreSQL; unset, `make run` starts its own",
        None,
        "postgres://voiceflow@localhost/voiceflow",
    ),
    Variable(
        "REDIS_URL",
        url("redis", "rediss", "unix"),
        "Redis; unset, `make run` starts its own",
        None,
        "redis://localhost:6379/0",
    ),
    Variable(
        "DATABASE_POOL_SIZE", whole(2, 200), "connections of one process that serves pages or tasks", "10"
    ),
    Variable("FIELD_ENCRYPTION_KEYS", fernet_keys, "Fernet keys, newest first", None, _DEV_FERNET),
    Variable(
        "KEY_PEPPERS",
        peppers,
        "id:hex secrets that API keys are hashed with, newest first",
        None,
        _DEV_PEPPER,
    ),
    Variable(
        "CONSENT_SECRET",
        consent_secret,
        "shared with the speech workers, 32 characters or more; empty: no voice is cloned",
        "",
    ),
    Variable("VAR_DIR", path, "where files of the running platform live", "var"),
    Variable("STATIC_ROOT", text, "collected static files, for images; empty: static in VAR_DIR", ""),
    Variable("S3_BUCKET", optional(bucket), "where voices and audio are kept; empty: media in VAR_DIR", ""),
    Variable("S3_ENDPOINT_URL", optional(url("https", "http")), "its server; empty: Amazon's", ""),
    Variable("S3_REGION", text, "its region", ""),
    Variable("S3_ACCESS_KEY_ID", text, "who we are there; empty: the machine's own role", ""),
    Variable("S3_SECRET_ACCESS_KEY", text, "see S3_ACCESS_KEY_ID", ""),
    Variable("ADMIN_EMAIL", text, "the demo's admin; never made in production", "admin@example.com"),
    Variable("ADMIN_PASSWORD", text, "its password; empty: one is made and kept in var/demo.env", ""),
    Variable("EMAIL_URL", text, "smtp://user:password@host:587 (smtp+tls, smtp+ssl); empty: var/mail", ""),
    Variable("DEFAULT_FROM_EMAIL", text, "sender of our mails", "VoiceFlow <noreply@localhost>"),
    Variable("GOOGLE_CLIENT_ID", text, "sign-in with Google, shown when both are set", ""),
    Variable("GOOGLE_CLIENT_SECRET", text, "see GOOGLE_CLIENT_ID", ""),
    Variable("GOOGLE_URL", url("https", "http"), "Google, or what stands in for it: one server", GOOGLE_URL),
    Variable("GITHUB_CLIENT_ID", text, "sign-in with GitHub, shown when both are set", ""),
    Variable("GITHUB_CLIENT_SECRET", text, "see GITHUB_CLIENT_ID", ""),
    Variable("GITHUB_URL", url("https", "http"), "GitHub, or your GitHub Enterprise Server", GITHUB_URL),
    Variable("OPENID_URL", optional(issuer), "sign-in with OpenID Connect: the issuer", ""),
    Variable("OPENID_CLIENT_ID", text, "see OPENID_URL", ""),
    Variable("OPENID_CLIENT_SECRET", text, "see OPENID_URL", ""),
    Variable("OPENID_NAME", label, "what people call it: Continue with …", "OpenID"),
    Variable("OPENID_ORIGINS", origins, "where else its sign-in leads people, if not only to OPENID_URL", ""),
    Variable("VERDA_CLIENT_ID", text, "Verda's cloud; without it the platform is in demo mode", ""),
    Variable("VERDA_CLIENT_SECRET", text, "see VERDA_CLIENT_ID", ""),
    Variable(
        "VERDA_INFERENCE_KEY",
        text,
        "what requests to Verda's containers carry, issued in its console; staff may set another in admin",
        "",
    ),
    Variable("VERDA_BASE_URL", url("https", "http"), "Verda's API, or what stands in for it", VERDA_URL),
    Variable(
        "VERDA_NAME_PREFIX",
        prefix,
        "how names of ours begin at Verda; another one for each platform in an account",
        "vf",
    ),
    Variable("VERDA_WORKER_PORT", whole(1, 65535), "where workers serve on machines rented at Verda", "8000"),
    Variable("VERDA_CALLS_A_SECOND", whole(1, 1000), "calls to Verda's API by all processes together", "5"),
    Variable(
        "VERDA_ATTEMPTS",
        whole(1, 10),
        "how often a call is made that Verda does not answer and that may be repeated",
        "3",
    ),
    Variable(
        "DEFAULT_WORKER_IMAGE",
        text,
        "the image of gpu_worker/Dockerfile where you pushed it, with its tag: what runs at Verda",
        "",
    ),
    Variable(
        "VERDA_REGISTRY_CREDENTIALS",
        text,
        "the name under which Verda keeps what containers' images are fetched with; empty: public images",
        "",
    ),
    Variable("HF_TOKEN", text, "what workers at Verda fetch weights from Hugging Face with", ""),
    Variable("TRUSTED_PROXY_COUNT", whole(0, 10), "reverse proxies in front that set X-Forwarded-For", "0"),
    Variable(
        "OUTBOUND_ALLOWED_NETWORKS",
        networks,
        "networks that customers' URLs may lead into though not everybody can reach them, plain http too",
        "",
    ),
    Variable("SECURE_SSL_REDIRECT", boolean, "send http to https", "true", "false"),
    Variable("LOG_LEVEL", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "how much is logged", "INFO"),
    Variable("LOG_FORMAT", one_of("json", "console"), "json, or console for people", "json", "console"),
    Variable("LIMIT_REQUESTS_PER_MINUTE", whole(1, 10**6), "live requests of an organization", "600"),
    Variable("LIMIT_CONCURRENT_REQUESTS", whole(1, 10**5), "live requests at once of an organization", "20"),
    Variable("LIMIT_TEST_REQUESTS_PER_MINUTE", whole(1, 10**6), "test-key requests of an organization", "60"),
    Variable("LIMIT_TEST_CONCURRENT_REQUESTS", whole(1, 10**5), "test-key requests at once", "3"),
    Variable("LIMIT_CHARACTERS_PER_REQUEST", whole(1, 10_000), "characters of one text", "5000"),
    Variable(
        "LIMIT_CHARACTERS_PER_MONTH",
        whole(0, 10**12),
        "live characters of an organization; 0: any number",
        "0",
    ),
    Variable(
        "LIMIT_TEST_CHARACTERS_PER_MONTH",
        whole(0, 10**12),
        "test-key characters of an organization; 0: any number",
        "50000",
    ),
    Variable(
        "USAGE_HOURS_KEPT_DAYS", whole(2, 3660), "how long sums of usage by hour are kept; days stay", "90"
    ),
    Variable("LIMIT_VOICES", whole(0, 10_000), "cloned voices of an organization", "10"),
    Variable(
        "JOB_PARTS_AT_ONCE", whole(1, 100), "parts of an organization's jobs that are made at once", "2"
    ),
    Variable("JOB_RESULT_DAYS", whole(1, 365), "how long the audio of a job is kept", "7"),
    Variable("JOB_TEXT_DAYS", whole(1, 3650), "how long the text of a job that is over is kept", "30"),
    Variable("JOB_LINK_MINUTES", whole(1, 7 * 24 * 60), "how long a link to the audio of a job works", "60"),
    Variable("CLIP_MAX_BYTES", whole(10_000, 100_000_000), "bytes of one recording", "20000000"),
    Variable("CLIPS_PER_HOUR", whole(1, 10_000), "recordings of one contributor in an hour", "400"),
    Variable("WEBHOOK_LOG_DAYS", whole(1, 365), "how long webhooks' events and attempts are kept", "30"),
    Variable(
        "METRICS_TOKEN",
        metrics_token,
        "what Prometheus sends as a bearer token to read /metrics; without it only staff may",
        "",
    ),
    Variable("LIMIT_DEPLOYMENTS", whole(0, 10_000), "deployments of an organization that run at once", "5"),
    Variable("LOCAL_MAX_WORKERS", whole(1, 64), "speech workers this machine may run at once", "4"),
    Variable(
        "LOCAL_CHATTERBOX_PYTHON",
        optional(program),
        "the Python that runs Chatterbox's workers on this machine, one with requirements/worker-gpu.txt",
        "",
    ),
    Variable(
        "LOCAL_MODELS_DIR",
        optional(path),
        "checkpoints, in chatterbox/, chatterbox-turbo/ and chatterbox-multilingual/; those that it lacks "
        "are fetched from the hub (HF_HOME, HF_TOKEN)",
        "",
    ),
    Variable(
        "SPEECH_QUEUE_MAX", whole(0, 10**5), "requests of one process that wait for a busy worker", "200"
    ),
    Variable("SPEECH_QUEUE_SECONDS", whole(0, 600), "how long they wait", "10"),
    Variable(
        "SPEECH_WAIT_MAX_SECONDS", whole(0, 600), "how long a caller may wait by `Prefer: wait=N`", "120"
    ),
    Variable("ROUTING_REFRESH_MS", whole(50, 60_000), "how often the table of ready workers is read", "1000"),
    Variable(
        "SPEECH_LEAN_DOOR",
        boolean,
        "speech straight on ASGI; false has Django's handler serve it too, at several times the CPU",
        "true",
    ),
    Variable(
        "LOCAL_WORKER_TOKEN_REQUIRED",
        boolean,
        "whether a speech worker on this machine asks for its token",
        "true",
        "false",
    ),
)


def read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """All variables, parsed. Raises `ConfigurationError` at the first that is missing or malformed."""
    production = (environ.get("VOICEFLOW_ENV") or "production") == "production"
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        default = variable.default if production or variable.development is None else variable.development
        raw = environ.get(variable.name)
        if raw is None or raw == "":
            raw = default
        if raw is None:
            raise ConfigurationError(f"{variable.name} is not set: {variable.help}.")
        try:
            values[variable.name] = variable.parse(raw)
        except ValueError as error:
            raise ConfigurationError(f"{variable.name} {error}.") from None
    _check_together(values, production=production)
    return values


def _check_together(values: dict[str, Any], *, production: bool) -> None:
    pairs = [(f"{name}_CLIENT_ID", f"{name}_CLIENT_SECRET") for name in ("GOOGLE", "GITHUB", "VERDA")]
    for pair in (*pairs, ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")):
        if bool(values[pair[0]]) != bool(values[pair[1]]):
            raise ConfigurationError(f"{pair[0]} and {pair[1]} belong together: set both or none.")
    openid = ("OPENID_URL", "OPENID_CLIENT_ID", "OPENID_CLIENT_SECRET")
    missing = [name for name in openid if not values[name]]
    if 0 < len(missing) < len(openid):
        raise ConfigurationError(f"{missing[0]} is not set: {', '.join(openid)} belong together.")
    if values["OPENID_ORIGINS"] and missing:
        raise ConfigurationError("OPENID_ORIGINS says where sign-in leads, but OPENID_URL names no issuer.")
    for name in ("S3_ENDPOINT_URL", "S3_REGION", "S3_ACCESS_KEY_ID"):
        if values[name] and not values["S3_BUCKET"]:
            raise ConfigurationError(f"{name} says where a bucket is, but S3_BUCKET names none.")
    for name in ("BASE_URL", "GOOGLE_URL", "GITHUB_URL", "OPENID_URL"):
        if production and values[name] and not values[name].startswith("https://"):
            raise ConfigurationError(f"{name} must start with https:// in production.")
    if production and "*" in values["ALLOWED_HOSTS"]:
        raise ConfigurationError("ALLOWED_HOSTS must name hosts in production, not *.")
