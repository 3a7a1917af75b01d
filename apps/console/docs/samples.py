"""Code of the docs, as it runs: files under `code/`, one a language, with the reader's address put in."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from django.utils.html import escape

from apps.console.samples import Sample
from apps.deployments.models import Deployment
from apps.deployments.offers import missing_engines, offered_providers
from apps.voices.statements import CONSENT

FOLDER: Final = Path(__file__).parent / "code"
# In the order of the tabs; the name is the file's ending.
LANGUAGES: Final = {
    "curl": "curl",
    "python": "Python",
    "javascript": "JavaScript",
    "openai": "OpenAI",
    "elevenlabs": "ElevenLabs",
}


@cache
def source(name: str, language: str) -> str | None:
    """The file as it lies there, with `BASE_URL` and `YOUR_API_KEY`; `None` where there is none."""
    path = FOLDER / f"{name}.{language}"
    return path.read_text() if path.is_file() else None


def samples_of(name: str, base_url: str) -> list[Sample]:
    """One sample for each language that it is written in."""
    return [
        Sample(language, label, escape(_filled(code, base_url)))
        for language, label in LANGUAGES.items()
        if (code := source(name, language)) is not None
    ]


def _filled(code: str, base_url: str) -> str:
    values = {"BASE_URL": base_url, "CONSENT_VERSION": CONSENT[-1].version, "AN_ENGINE": _an_engine()}
    for name, value in values.items():
        code = code.replace(name, value)
    return code


def _an_engine() -> str:
    """One that clones, where this platform can run it."""
    engine, missing = Deployment.Engine.CHATTERBOX, missing_engines(offered_providers()[0])
    return str(Deployment.Engine.CPU.value if engine in missing else engine.value)
