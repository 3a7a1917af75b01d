"""Settings of cloned voices: what is wrong is said at the start, and nothing of them is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpu_worker.config import Settings, SettingsError


def test_cloning_is_off_unless_it_is_set_up() -> None:
    settings = Settings.from_environment({"HOME": "/home/one"})
    assert settings.consent_secret is None
    assert settings.reference_origins == ()
    assert settings.voice_cache == Path("/home/one/.cache/voiceflow-worker/voices")
    assert settings.voice_cache_bytes == 512_000_000


def test_what_is_set_is_taken() -> None:
    settings = Settings.from_environment(
        {
            "CONSENT_SECRET": "s" * 32,
            "REFERENCE_ORIGINS": "https://S3.example, http://127.0.0.1:9000/ https://[::1]:444",
            "VOICE_CACHE": "/cache/references",
            "VOICE_CACHE_MB": "64",
        }
    )
    assert settings.consent_secret == "s" * 32
    assert settings.reference_origins == (
        "https://s3.example:443",
        "http://127.0.0.1:9000",
        "https://[::1]:444",
    )
    assert (settings.voice_cache, settings.voice_cache_bytes) == (Path("/cache/references"), 64_000_000)


@pytest.mark.parametrize(
    ("environment", "home"),
    [
        ({"XDG_CACHE_HOME": "/var/cache/one", "HOME": "/home/one"}, "/var/cache/one/voiceflow-worker/voices"),
        ({"HOME": "/home/one"}, "/home/one/.cache/voiceflow-worker/voices"),
    ],
)
def test_the_cache_lies_where_caches_do(environment: dict[str, str], home: str) -> None:
    assert Settings.from_environment(environment).voice_cache == Path(home)


def test_without_a_home_the_cache_is_this_users_own() -> None:
    assert Settings.from_environment({}).voice_cache.name.startswith("voiceflow-voices-")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSENT_SECRET", "short"),
        ("REFERENCE_ORIGINS", "s3.example"),
        ("REFERENCE_ORIGINS", "*"),
        ("REFERENCE_ORIGINS", "https://s3.example/bucket"),
        ("REFERENCE_ORIGINS", "https://user@s3.example"),
        ("REFERENCE_ORIGINS", "https://s3.example:port"),
        ("REFERENCE_ORIGINS", "file:///"),
        ("VOICE_CACHE", "cache"),
        ("VOICE_CACHE_MB", "7"),
        ("VOICE_CACHE_MB", "many"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({"HOME": "/home/one", name: value})
