"""Where texts are cut into pieces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.text.normalization import normalize
from gpu_worker.text.rewriting import Rewrite, Spoken, assemble
from gpu_worker.text.splitting import MAX_PIECE_SECONDS, Piece, split
from gpu_worker.text.timing import Clock

LONG = (
    "When the long winter came to an end, the people of the small village gathered in the square, talked"
    " about the harvest, and decided that the old bridge had to be repaired before the floods; nobody knew"
    " how it could be done, but everybody agreed that it must be done, and that it must be done soon."
)


def pieces_of(text: str, **options: int | str) -> list[Piece]:
    return split(assemble(text, ()), len(text), **options)  # type: ignore[arg-type]


def texts_of(text: str, **options: int | str) -> list[str]:
    return [piece.text for piece in pieces_of(text, **options)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["The first of them is here.", "Here comes the second one!", "And is this the third of them?"],
        ["Dr. Smith paid him 3.5 dollars for all of it.", "Then he left and was not seen again."],
        ["J. K. Rowling wrote it some years ago.", "I read it in the summer after that."],
        ['He looked at us and said "Go away!"', "Then he went on to read his paper."],
        ["Wait... what are you going to do with that?", "I am only going to look at it."],
        ["version 2.0.1 is out and can be downloaded.", "It is a good deal faster than 1.9.9 was."],
    ],
)
def test_sentences(sentences: list[str]) -> None:
    assert texts_of(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("zh", ["今天天气很好，我们去公园散步吧！", "你想不想和我们一起来吃晚饭呢？"]),
        ("ja", ["今日はとても良い天気ですね。", "一緒に公園へ散歩に行きませんか？"]),
        ("zh", ["你好，我的名字叫小明，很高兴。", "他说“我们明天再来吧！”然后走了。"]),
    ],
)
def test_sentences_without_spaces(language: str, sentences: list[str]) -> None:
    for said in (language, "en", "xx", ""):
        assert texts_of("".join(sentences), language=said) == sentences


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("ar", "كيف حالك اليوم يا صديقي العزيز من المدينة؟", "أنا بخير والحمد لله رب العالمين."),
        ("hi", "आज मौसम बहुत अच्छा है और धूप निकली है।", "चलो हम सब मिलकर पार्क में घूमने चलते हैं।"),
        ("de", "Das kostet z. B. 3,50 Euro im Laden um die Ecke.", "Dort ist es nun auch teurer geworden."),
        ("ru", "Сегодня очень хорошая погода в нашем городе.", "Пойдём гулять в парк вместе с друзьями!"),
    ],
)
def test_sentences_of_other_scripts(language: str, first: str, second: str) -> None:
    assert texts_of(f"{first} {second}", language=language) == [first, second]


def test_short_sentences_are_joined() -> None:
    assert len(texts_of("Hi! How are you? Very well. Thank you.")) == 1
    long = "This is a sentence that is long enough to stand alone."
    assert texts_of(f"Yes. {long} {long} No.") == [f"Yes. {long}", f"{long} No."]
    assert texts_of("Hi!") == ["Hi!"]


def test_nothing_is_joined_across_a_paragraph() -> None:
    pieces = pieces_of("Hi!\n\nHow are you?\r\n \r\nWell.")
    assert [piece.text for piece in pieces] == ["Hi!", "How are you?", "Well."]
    assert [piece.ending for piece in pieces] == ["paragraph"] * 3


def test_lines_end_sentences() -> None:
    assert texts_of("Things to buy\nMilk\nBread\nEggs!") == ["Things to buy. Milk. Bread. Eggs!"]
    assert texts_of("買うもの\n牛乳とパンと卵と野菜と果物") == ["買うもの。 牛乳とパンと卵と野菜と果物"]


def test_lines_that_were_wrapped_go_on() -> None:
    text = "It was a bright cold day in the month of April and the\nclocks were striking, as they\ndo."
    assert texts_of(text) == [" ".join(text.split())]


def test_endings_tell_how_natural_a_pause_is() -> None:
    endings = [piece.ending for piece in pieces_of(f"{LONG} Then there is a sentence more.\n\nEnd.")]
    assert endings == ["clause", "clause", "sentence", "paragraph", "paragraph"]
    assert {piece.ending for piece in pieces_of("word " * 200)} == {"word", "paragraph"}


def test_a_long_sentence_is_cut_at_clauses() -> None:
    for piece in pieces_of(LONG, max_characters=140)[:-1]:
        assert piece.text.endswith((",", ";"))
        assert len(piece.text) > 20


def test_a_sentence_without_clauses_is_cut_between_words() -> None:
    texts = texts_of("word " * 200)
    assert all(set(text.split()) == {"word"} for text in texts)
    assert all(len(text) > 30 for text in texts)


def test_a_conjunction_begins_a_piece() -> None:
    text = "one two three four five six " * 5 + "and " + "seven eight nine ten eleven " * 5
    assert [text.split()[0] for text in texts_of(text.strip(), max_characters=240)][1] == "and"


def test_a_word_longer_than_a_piece_is_cut_anywhere() -> None:
    assert [len(text) for text in texts_of("x" * 600)] == [280, 280, 40]


def test_letters_keep_their_marks() -> None:
    for text in texts_of("e\u0301" * 500) + texts_of("สวัสดีครับ" * 80, language="th"):
        assert not re.match(r"[\u0301\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]", text)


def test_numbers_are_not_cut() -> None:
    number = "12 345 678"
    for text in texts_of(f"abc {number}, " * 60):
        assert all(found == number for found in re.findall(r"\d[\d ]*\d", text))


def test_rewritten_stretches_are_not_cut() -> None:
    said = "one million two hundred thousand dollars"
    source = "X $1.2m. " * 60
    rewrites = [Rewrite(match.start(), match.end(), said) for match in re.finditer(r"\$1\.2m", source)]
    pieces = split(assemble(source, rewrites), len(source))
    assert " ".join(piece.text for piece in pieces) == " ".join([f"X {said}."] * 60)
    for piece in pieces:
        assert piece.text.count("one million") == piece.text.count("dollars")


def test_a_stretch_longer_than_a_piece_is_cut_between_words() -> None:
    said = " ".join(["hundred"] * 100)
    pieces = split(assemble("It is 1e300.", [Rewrite(6, 11, said)]), 12)
    assert " ".join(piece.text for piece in pieces) == f"It is {said}."
    assert len(pieces) > 2
    # Nobody who leaves before its end has heard all of it.
    assert {(piece.start, piece.stop) for piece in pieces[1:-1]} == {(6, 6)}
    assert ((pieces[0].start, pieces[0].stop), (pieces[-1].start, pieces[-1].stop)) == ((0, 6), (6, 12))


def test_the_first_piece_is_small() -> None:
    first, *others = pieces_of(LONG)
    assert (
        first.text
        == "When the long winter came to an end, the people of the small village gathered in the square,"
    )
    assert others
    assert texts_of(LONG[:100], first_characters=100) == [LONG[:100].strip()]


def test_the_first_piece_leaves_no_tiny_rest() -> None:
    text = (
        "This sentence has no clause at all for as long as one cares to read in it and then it ends so, yes."
    )
    assert texts_of(text, first_characters=60) == [text]


@pytest.mark.parametrize("text", ["", " \n", "...", "?!", "😀", "—", "\u200b", "\x00", "_", "([{", "،。"])
def test_there_are_no_pieces_of_nothing(text: str) -> None:
    assert texts_of(text) == []


@pytest.mark.parametrize("text", ["a", "5", "½", "é", "你", "¹", "①", "क"])
def test_one_letter_or_digit_is_something(text: str) -> None:
    assert texts_of(text) == [text]


def test_digits_take_longer_to_speak() -> None:
    assert all(len(text) < 80 for text in texts_of("1234567890 " * 20))


ALPHABET = "aB1 .!?,;:\n\t[]\"'“”。，好…-—\u2029\u0301\u200d\u3000😀$é"
hostile = (
    st.text()
    | st.text(ALPHABET, max_size=600)
    | st.lists(
        st.sampled_from([*ALPHABET, "word ", "Dr. ", "e.g. ", "12 345", "\n\n", "very long words indeed, "]),
        max_size=300,
    ).map("".join)
)


@st.composite
def spoken_texts(draw: st.DrawFn) -> tuple[str, Spoken]:
    source = draw(hostile)
    if draw(st.booleans()):
        return source, normalize(source)
    cuts = sorted(draw(st.sets(st.integers(0, len(source)), max_size=8)))
    said = st.text("abc \n1.", max_size=30)
    spans = zip(cuts[::2], cuts[1::2], strict=False)
    rewrites = [Rewrite(start, stop, draw(said)) for start, stop in spans]
    return source, assemble(source, rewrites)


def characters(text: str) -> list[str]:
    return re.findall(r"[^\W_]", text)


@given(spoken_texts(), st.sampled_from([40, 120, 280]), st.sampled_from(["en", "zh", "th", "de"]))
def test_pieces_tile_the_text_and_keep_every_word(
    texts: tuple[str, Spoken], max_characters: int, language: str
) -> None:
    source, spoken = texts
    pieces = split(spoken, len(source), language=language, max_characters=max_characters)
    assert bool(pieces) == bool(characters(spoken.text))
    if pieces:
        assert [piece.start for piece in pieces] == [0, *(piece.stop for piece in pieces[:-1])]
        assert pieces[-1].stop == len(source)
        assert pieces[-1].ending == "paragraph"
    for piece in pieces:
        assert piece.start <= piece.stop
        assert 0 < len(piece.text) <= max_characters
        assert Clock(piece.text).seconds(0, len(piece.text)) <= MAX_PIECE_SECONDS + 0.01
        assert characters(piece.text)
        assert not re.search(r"[\n\u2029]|^\s|\s$", piece.text)
    assert [one for piece in pieces for one in characters(piece.text)] == characters(spoken.text)
