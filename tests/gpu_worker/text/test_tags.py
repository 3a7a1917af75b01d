"""Tags in brackets, and what looks like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.text import KNOWN_TAGS, UnknownTagError
from gpu_worker.text.rewriting import assemble
from gpu_worker.text.tags import MAX_PAUSE_MS, UnknownTags, find_tags

hostile = st.text() | st.text("aZé笑1 .:,[]()^/-\n", max_size=200) | st.text("[]laugh:pse.01m ", max_size=80)


def spoken(text: str, unknown: UnknownTags = "speak", *, performs: bool = False) -> str:
    return assemble(text, find_tags(text, unknown=unknown, performs=performs).rewrites).text


@pytest.mark.parametrize("tag", [*KNOWN_TAGS, "Laugh", "CLEAR THROAT", " laugh ", "clear  throat"])
def test_known_tags_are_performed_or_left_out(tag: str) -> None:
    text = f"Ha [{tag}] ha."
    assert spoken(text, "error") == "Ha ha."
    assert spoken(text, "error", performs=True) == f"Ha [{' '.join(tag.lower().split())}] ha."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Well [sigh], yes.", "Well, yes."),
        ("[laugh] Yes.", " Yes."),
        ("Yes [laugh]", "Yes"),
        ("Ha[laugh]ha", "Ha ha"),
        ("Ha [laugh] [sigh] ha", "Ha ha"),
        ("(Ha [laugh])", "(Ha)"),
        ("好[laugh]好", "好 好"),
    ],
)
def test_what_is_left_out_leaves_even_text(text: str, left: str) -> None:
    assert spoken(text, "error") == left


@pytest.mark.parametrize(
    ("tag", "duration_ms"),
    [
        ("[pause:0.5s]", 500),
        ("[pause:300ms]", 300),
        ("[pause:1.25s]", 1250),
        ("[pause: 1 s]", 1000),
        ("[ Pause :2S ]", 2000),
        ("[pause:.5s]", 500),
        ("[pause:10s]", 10_000),
        ("[pause:1ms]", 1),
    ],
)
@pytest.mark.parametrize("performs", [True, False])
def test_a_pause_is_silence_on_every_engine(tag: str, duration_ms: int, performs: bool) -> None:
    text = f"One {tag} two."
    tags = find_tags(text, unknown="error", performs=performs)
    assert [pause.duration_ms for pause in tags.pauses] == [duration_ms]
    assert assemble(text, tags.rewrites).text == "One two."


@pytest.mark.parametrize(
    "tag",
    [
        "pause",
        "pause:",
        "pause:0s",
        "pause:11s",
        "pause:1",
        "pause:1,5s",
        "pause:-1s",
        "pause:1h",
        "pause:1.2.3s",
    ],
)
def test_a_malformed_pause_is_an_unknown_tag(tag: str) -> None:
    text = f"One [{tag}] two."
    assert find_tags(text, unknown="drop", performs=False).pauses == ()
    assert spoken(text, "drop") == "One two."
    with pytest.raises(UnknownTagError, match=r"is not a tag; .*\[pause:0.5s\]"):
        spoken(text, "error")


def test_unknown_tags_are_spoken_dropped_or_refused() -> None:
    assert spoken("A [sneeze] b.") == "A sneeze b."
    assert spoken("A[sneeze]b.") == "A sneeze b."
    assert spoken("A [sneeze] b.", "drop") == "A b."
    assert spoken("A [笑い] b.", "drop") == "A b."
    with pytest.raises(UnknownTagError, match=r"\[sneeze\] is not a tag; known are \[laugh\]") as refused:
        spoken("A [sneeze] b.", "error")
    assert refused.value.tag == "sneeze"


@pytest.mark.parametrize(
    "text",
    [
        "as said [1]",
        "as said [12, 13]",
        "a [link](https://example.com)",
        "![laugh](https://example.com/a.png)",
        "a [link][2] and [another][]",
        "[note]: https://example.com",
        "said[^1]",
        "[^note]: so it was",
        "[ ] open",
        "[x] done",
        "[X] done",
        "note [a]",
        "[]",
        "[2024-01-02]",
        "[[a wiki link]]",
        "[a.b]",
        "x[i+1]",
        "an [unclosed bracket",
        "[over\nlines]",
        "[a remark that is much too long to be a tag of any kind]",
    ],
)
@pytest.mark.parametrize("unknown", ["error", "drop", "speak"])
def test_numbers_links_and_footnotes_are_text(text: str, unknown: UnknownTags) -> None:
    assert spoken(text, unknown, performs=True) == text


@given(hostile, st.sampled_from(["drop", "speak"]), st.booleans())
def test_rewrites_are_in_order_and_touch_nothing_but_brackets_and_spaces(
    text: str, unknown: UnknownTags, performs: bool
) -> None:
    tags = find_tags(text, unknown=unknown, performs=performs)
    at = 0
    for rewrite in tags.rewrites:
        assert at <= rewrite.start < rewrite.stop <= len(text)
        assert text[rewrite.start] in " []"
        assert text[rewrite.stop - 1] in "[]"
        at = rewrite.stop
    assert {pause.start for pause in tags.pauses} <= {rewrite.start for rewrite in tags.rewrites}
    assert all(0 < pause.duration_ms <= MAX_PAUSE_MS for pause in tags.pauses)
