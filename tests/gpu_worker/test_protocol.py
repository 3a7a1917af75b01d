"""The frames of the wire."""

from __future__ import annotations

import subprocess
import sys

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.protocol import (
    Audio,
    End,
    Error,
    ErrorCode,
    FrameReader,
    MalformedFrameError,
    Mark,
    Message,
    Start,
)

START = Start(1, "req_1", "cpu", "hibari", "heart", "wav", 24_000)
END = End(audio_ms=5, characters=4, gpu_ms=3, pieces=2, pieces_remade=0, queue_ms=1)

counts = st.integers(0, 2**40)
marks = st.builds(Mark, counts, counts, counts)
audios = st.builds(Audio, st.binary(max_size=200))
endings = st.one_of(st.just(END), st.builds(Error, st.text(), st.text(), st.booleans()))


@st.composite
def chunked_streams(draw: st.DrawFn) -> tuple[list[Message], list[bytes]]:
    """A stream's messages, and its bytes cut anywhere."""
    messages = [START, *draw(st.lists(st.one_of(marks, audios), max_size=8)), draw(endings)]
    data = b"".join(message.pack() for message in messages)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return messages, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(chunked_streams())
def test_any_chunking_reads_the_same(stream: tuple[list[Message], list[bytes]]) -> None:
    messages, chunks = stream
    reader = FrameReader()
    assert [message for chunk in chunks for message in reader.feed(chunk)] == messages
    assert reader.ended == isinstance(messages[-1], End)


@given(chunked_streams(), st.data())
def test_a_cut_stream_has_not_ended(stream: tuple[list[Message], list[bytes]], data: st.DataObject) -> None:
    whole = b"".join(stream[1])
    reader = FrameReader()
    reader.feed(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert not reader.ended


def test_a_mark_says_from_and_to_on_the_wire() -> None:
    assert msgpack.unpackb(Mark(audio_ms=7, source_from=1, source_to=9).pack()) == {
        "type": "mark",
        "audio_ms": 7,
        "from": 1,
        "to": 9,
    }


def test_fields_of_a_newer_worker_are_left_aside() -> None:
    body = msgpack.unpackb(START.pack()) | {"mood": "glad"}
    assert FrameReader().feed(msgpack.packb(body)) == [START]


@pytest.mark.parametrize(
    "data",
    [
        b"\xc1",
        msgpack.packb("start"),
        msgpack.packb([1, 2]),
        msgpack.packb({"type": "song"}),
        msgpack.packb({"no": "type"}),
        msgpack.packb({"type": ["start"]}),
        msgpack.packb(msgpack.unpackb(START.pack()) | {"sample_rate": "24000"}),
        msgpack.packb(msgpack.unpackb(START.pack()) | {"protocol": True}),
        msgpack.packb(msgpack.unpackb(START.pack()) | {"sample_rate": -1}),
        msgpack.packb({"type": "start", "protocol": 1}),
        msgpack.packb({1: 2, "type": "start"}),
        START.pack() + msgpack.packb({"type": "audio", "data": "text"}),
        Audio(b"x").pack(),
        END.pack(),
        START.pack() + START.pack(),
        START.pack() + END.pack() + Audio(b"x").pack(),
        START.pack() + Error("cancelled", "gone", False).pack() + END.pack(),
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
    ],
)
def test_malformed_streams_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedFrameError):
        FrameReader().feed(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    reader = FrameReader()
    try:
        reader.feed(data)
    except MalformedFrameError:
        assert not reader.ended


@pytest.mark.parametrize(
    "endless",
    [
        msgpack.packb({"type": "audio", "data": b"x" * 100_000}),
        msgpack.packb({"type": "audio", "data": ["x" * 900] * 200}),
        msgpack.packb({str(number): number for number in range(1000)}),
        b"\x91" * 100_000,
    ],
)
def test_a_frame_that_never_ends_is_refused(endless: bytes) -> None:
    reader = FrameReader(max_frame_bytes=1000)
    reader.feed(START.pack() + Audio(b"x" * 1000).pack())
    with pytest.raises(MalformedFrameError):
        reader.feed(endless[:40_000])


def test_many_frames_at_once_may_be_longer_than_one() -> None:
    frames = [Audio(bytes([number]) * 900) for number in range(50)]
    reader = FrameReader(max_frame_bytes=1000)
    assert reader.feed(START.pack() + b"".join(frame.pack() for frame in frames)) == [START, *frames]


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_has_a_status_of_failure(code: ErrorCode) -> None:
    assert 400 <= code.status < 600


def test_the_platform_can_import_it_without_the_engines_libraries() -> None:
    script = (
        "import sys, gpu_worker.protocol, gpu_worker.text;"
        "print(sorted(sys.modules.keys() & {'numpy', 'hibari', 'fastapi', 'uvicorn', 'starlette'}))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
