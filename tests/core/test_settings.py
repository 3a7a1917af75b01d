"""Settings from the environment: a bad one stops the start with one line, and production is closed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from voiceflow.settings.environment import VARIABLES, ConfigurationError, Variable, read_environment

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "VOICEFLOW_ENV": "production",
    "SECRET_KEY": "bR4nd0m-Xy7_" * 6,
    "ALLOWED_HOSTS": "voice.example.com",
    "BASE_URL": "https://voice.example.com",
    "DATABASE_URL": "postgres://voiceflow@db.example.com/voiceflow",
    "REDIS_URL": "rediss://redis.example.com:6379/0",
    "FIELD_ENCRYPTION_KEYS": "c2l4dGVlbi1ieXRlcy0rLXNpeHRlZW4tYnl0ZXMtKy0=",
    "KEY_PEPPERS": "1:" + "ab" * 32,
}
REQUIRED = [variable.name for variable in VARIABLES if variable.default is None]


def check(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` with nothing in its environment but this."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "check", *arguments],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"]} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_production_is_clean_by_djangos_own_check() -> None:
    result = check(PRODUCTION, "--deploy", "--fail-level", "WARNING")
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


@pytest.mark.parametrize("missing", [None, "SECRET_KEY", "DATABASE_URL", "KEY_PEPPERS"])
def test_a_missing_variable_stops_the_start_with_one_line(missing: str | None) -> None:
    environ = {name: value for name, value in PRODUCTION.items() if missing and name != missing}
    result = check(environ)
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert re.fullmatch(rf"voiceflow: {missing or 'SECRET_KEY'} is not set: .+\.", line)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("VOICEFLOW_ENV", "prod", "must be one of production, development, test"),
        ("SECRET_KEY", "short", "must have at least 50 characters"),
        ("DATABASE_URL", "mysql://localhost/x", "must be a URL that starts with postgres://"),
        ("REDIS_URL", "localhost:6379", "must be a URL that starts with redis://"),
        ("FIELD_ENCRYPTION_KEYS", "not-a-key", "must be Fernet keys"),
        ("KEY_PEPPERS", "1:abcd", "must look like 1:HEX"),
        ("LIMIT_REQUESTS_PER_MINUTE", "many", "must be a whole number from 1 to 1000000"),
        ("LIMIT_CHARACTERS_PER_REQUEST", "10001", "must be a whole number from 1 to 10000"),
        ("TRUSTED_PROXY_COUNT", "-1", "must be a whole number from 0 to 10"),
        ("SECURE_SSL_REDIRECT", "maybe", "must be true or false"),
        ("BASE_URL", "http://voice.example.com", "must start with https:// in production"),
        ("ALLOWED_HOSTS", "*", "must name hosts in production"),
        ("GITHUB_URL", "http://github.example.com", "must start with https:// in production"),
        ("OPENID_URL", "login.example.com", "must be a URL that starts with https:// or http://"),
        ("OPENID_URL", "https:///realm", "must be the issuer alone"),
        ("OPENID_URL", "https://login.example.com/realm?tenant=1", "must be the issuer alone"),
        ("OPENID_URL", "https://a/.well-known/openid-configuration", "must be the issuer alone"),
        ("OPENID_NAME", "a\nname", "must be one line"),
        ("OPENID_NAME", "n" * 41, "must be one line of 1 to 40 characters"),
        ("OPENID_ORIGINS", "https://login.example.com/path", "must be origins alone"),
        ("OPENID_ORIGINS", "https://*; script-src *", "must be origins alone"),
        ("OPENID_ORIGINS", "https://login.example.com", "OPENID_URL names no issuer"),
        ("VERDA_CLIENT_ID", "only-the-id", "belong together"),
        ("S3_ACCESS_KEY_ID", "only-the-id", "belong together"),
        ("S3_BUCKET", "https://s3.example.com/bucket", "must be the name of a bucket"),
        ("S3_ENDPOINT_URL", "s3.example.com", "must be a URL"),
        ("S3_ENDPOINT_URL", "https://s3.example.com", "S3_BUCKET names none"),
    ],
)
def test_a_malformed_variable_is_named_with_what_is_wrong(name: str, value: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_environment(PRODUCTION | {name: value})
    message = str(caught.value)
    assert message.startswith(name)
    assert words in message
    assert "\n" not in message


OPENID = {
    "OPENID_URL": "https://login.example.com/realms/voices/",
    "OPENID_CLIENT_ID": "client",
    "OPENID_CLIENT_SECRET": "secret",
}


def test_an_issuer_is_known_without_its_last_slash() -> None:
    values = read_environment(
        PRODUCTION | OPENID | {"OPENID_ORIGINS": "https://a.example, https://b.example"}
    )
    assert values["OPENID_URL"] == "https://login.example.com/realms/voices"
    assert values["OPENID_NAME"] == "OpenID"
    assert values["OPENID_ORIGINS"] == ["https://a.example", "https://b.example"]


@pytest.mark.parametrize("missing", OPENID)
def test_a_part_of_openid_names_what_is_missing(missing: str) -> None:
    environ = {name: value for name, value in (PRODUCTION | OPENID).items() if name != missing}
    with pytest.raises(ConfigurationError, match=f"^{missing} is not set: .* belong together"):
        read_environment(environ)


def test_an_issuer_is_asked_by_https_in_production() -> None:
    with pytest.raises(ConfigurationError, match=r"^OPENID_URL must start with https:// in"):
        read_environment(PRODUCTION | OPENID | {"OPENID_URL": "http://login.example.com"})


def test_a_malformed_variable_stops_the_start_with_one_line() -> None:
    result = check(PRODUCTION | {"REDIS_URL": "localhost"})
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("voiceflow: REDIS_URL must be a URL")


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_secret_or_a_place_has_no_default_in_production(name: str) -> None:
    environ = {key: value for key, value in PRODUCTION.items() if key != name}
    with pytest.raises(ConfigurationError, match=name):
        read_environment(environ)
    with pytest.raises(ConfigurationError, match=name):
        read_environment(environ | {name: ""})


def test_production_is_what_is_meant_where_nothing_is_said() -> None:
    environ = {name: value for name, value in PRODUCTION.items() if name != "VOICEFLOW_ENV"}
    values = read_environment(environ)
    assert values["VOICEFLOW_ENV"] == "production"
    assert values["SECURE_SSL_REDIRECT"] is True
    assert values["LOCAL_WORKER_TOKEN_REQUIRED"] is True
    assert values["LOG_FORMAT"] == "json"


def test_development_needs_nothing() -> None:
    assert read_environment({"VOICEFLOW_ENV": "development"})["BASE_URL"] == "http://localhost:8080"


def test_peppers_and_keys_come_newest_first() -> None:
    values = read_environment(PRODUCTION | {"KEY_PEPPERS": f"2:{'cd' * 32}, 1:{'ab' * 32}"})
    assert list(values["KEY_PEPPERS"]) == [2, 1]


def test_the_example_file_lists_every_variable_with_its_help_and_default() -> None:
    text = (CHECKOUT / ".env.example").read_text()
    lines = text.partition("---- read by every process")[2].splitlines()[1:]
    assert lines == [line for variable in VARIABLES for line in _documented(variable)]


def _documented(variable: Variable) -> tuple[str, str]:
    required = "; required" if variable.default is None else ""
    return f"# {variable.help}{required}", f"# {variable.name}={variable.default or ''}"
