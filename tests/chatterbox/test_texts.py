"""Text as the models read it."""

from __future__ import annotations

import pytest

from gpu_worker.engines.chatterbox.kinds import CLASSIC, KINDS, MULTILINGUAL, TURBO
from gpu_worker.engines.chatterbox.texts import readable, text_tokens
from tests.chatterbox import tiny
from tests.chatterbox.upstream import Upstream


@pytest.mark.parametrize(
    "text",
    [
        "hello   there",
        "Well... I see — “quite” so; you know",
        "One, two and – three -",
        "what?",
        "A note : read it",
        "It’s ‘fine’…",
        "fine - really",
    ],
)
def test_it_is_cleaned_up_as_upstream_does(text: str) -> None:
    import chatterbox.mtl_tts
    import chatterbox.tts
    import chatterbox.tts_turbo

    assert readable(text, CLASSIC) == chatterbox.tts.punc_norm(text)
    assert readable(text, TURBO) == chatterbox.tts_turbo.punc_norm(text)
    assert readable(text, MULTILINGUAL) == chatterbox.mtl_tts.punc_norm(text)


def test_a_time_keeps_its_colon() -> None:
    """Upstream makes a decimal comma of it."""
    assert readable("It is 7:30, note: be quick", CLASSIC) == "It is 7:30, note, be quick."


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_stays_nothing(text: str) -> None:
    """Upstream says 'You need to add some text for me to talk.' then."""
    assert readable(text, CLASSIC) == ""


def test_tags_are_one_token_for_turbo_alone(upstreams: dict[str, Upstream]) -> None:
    plain, laughing = (
        text_tokens(upstreams[tiny.TURBO].model, TURBO, text, "en") for text in ("Ha", "Ha[laugh]")
    )
    assert len(laughing) == len(plain) + 1
    classic = text_tokens(upstreams[tiny.CLASSIC].model, CLASSIC, "Ha[laugh]", "en")
    assert len(classic) > 6


def test_the_language_comes_first(upstreams: dict[str, Upstream]) -> None:
    model = upstreams[tiny.MULTILINGUAL].model
    english, german = (
        text_tokens(model, KINDS[tiny.MULTILINGUAL], "Ja", language) for language in ("en", "de")
    )
    assert english[0] == german[0] == 255
    assert english[1] != german[1]
    assert english[2:] == german[2:]
