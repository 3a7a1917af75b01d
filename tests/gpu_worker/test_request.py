"""What a caller may ask."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.protocol import MAX_TEXT_CHARACTERS, InvalidRequestError, SpeechRequest

REFUSED: list[tuple[str, Any]] = [
    ("text", None),
    ("text", 5),
    ("text", ["Hello."]),
    ("text", ""),
    ("text", " \n\t "),
    ("text", "x" * (MAX_TEXT_CHARACTERS + 1)),
    ("text", "\ud800"),
    ("request_id", "with space"),
    ("request_id", ""),
    ("request_id", "x" * 129),
    ("model", 5),
    ("voice", ""),
    ("voice", "x" * 129),
    ("voice", "new\nline"),
    ("language", "x" * 36),
    ("speed", "1"),
    ("speed", True),
    ("speed", 0.2),
    ("speed", 4.1),
    ("speed", float("nan")),
    ("seed", -1),
    ("seed", 1.5),
    ("seed", False),
    ("seed", 2**32),
    ("exaggeration", 2.1),
    ("cfg_weight", -0.1),
    ("temperature", 0),
    ("top_p", 1.1),
    ("min_p", "0"),
    ("repetition_penalty", 0.9),
    ("format", "wma"),
    ("format", 1),
    ("sample_rate", 7999),
    ("bitrate", 1),
    ("stream", 1),
    ("stream", "true"),
    ("normalize", "maybe"),
    ("unknown_tags", "sing"),
    ("timestamps", True),
    ("deadline_ms", 0),
    ("tenant", 5),
    ("pitch", 2),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_refusal_names_its_field(name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        SpeechRequest.parse({"text": "Hello.", name: value})
    assert refused.value.param == name
    assert name in refused.value.message


@pytest.mark.parametrize("body", [None, [], "Hello.", 5])
def test_a_body_must_be_an_object(body: object) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        SpeechRequest.parse(body)
    assert refused.value.param is None


def test_the_bounds_themselves_are_accepted() -> None:
    body = {"text": "x" * MAX_TEXT_CHARACTERS, "speed": 4, "seed": 2**32 - 1, "deadline_ms": 1, "min_p": 0}
    assert SpeechRequest.parse(body).to_json() == body


def test_null_leaves_a_field_to_its_default() -> None:
    assert SpeechRequest.parse({"text": "Hi", "voice": None, "speed": None}) == SpeechRequest(text="Hi")


requests = st.builds(
    SpeechRequest,
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
        lambda text: not text.isspace()
    ),
    voice=st.none() | st.just("heart"),
    speed=st.floats(0.25, 4.0),
    seed=st.none() | st.integers(0, 2**32 - 1),
    top_p=st.none() | st.floats(0.0, 1.0),
    format=st.sampled_from(["wav", "pcm", "mp3"]),
    stream=st.booleans(),
    normalize=st.sampled_from(["auto", "on", "off"]),
    deadline_ms=st.none() | st.integers(1, 3_600_000),
)


@given(requests)
def test_what_is_sent_is_what_is_read(request: SpeechRequest) -> None:
    assert SpeechRequest.parse(request.to_json()) == request


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([name for name, _ in REFUSED]) | st.text(), json_values))
def test_any_object_is_read_or_refused(body: dict[str, object]) -> None:
    try:
        text = SpeechRequest.parse(body).text
    except InvalidRequestError as error:
        message = error.message
    else:
        assert text == body["text"]
        return
    assert message.endswith(".")
    assert message.isascii()
