"""`POST /generate` with the CPU engine: whole, streamed and framed."""

from __future__ import annotations

import io
import struct
import wave

import httpx
import numpy as np
import pytest

from gpu_worker.protocol import Audio, End, Mark, Start
from tests.gpu_worker.framed import audio_of, speak
from tests.gpu_worker.worker_process import WorkerProcess

TEXT = "The quick brown fox jumps over the lazy dog. She sells sea shells by the sea shore."


def generate(worker: WorkerProcess, **request: object) -> httpx.Response:
    """One answer to a request that is expected to succeed."""
    response = httpx.post(f"{worker.url}/generate", json=request, timeout=30)
    assert response.status_code == 200, response.text
    return response


def test_a_whole_wav_has_exact_sizes_and_a_fitting_length(worker: WorkerProcess) -> None:
    response = generate(worker, text=TEXT)
    assert response.headers["content-type"] == "audio/wav"
    assert int(response.headers["content-length"]) == len(response.content)
    with wave.open(io.BytesIO(response.content)) as file:
        assert file.getparams()[:3] == (1, 2, 24_000)
        assert 44 + 2 * file.getnframes() == len(response.content)
        seconds = file.getnframes() / 24_000
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert 4 < seconds < 8
    assert response.headers["x-audio-ms"] == str(round(1000 * seconds))
    assert 500 < np.sqrt(np.mean(samples.astype(float) ** 2)) < 10_000
    assert np.abs(samples.astype(int)).max() < 32_767


def test_pcm_is_the_wav_without_its_header(worker: WorkerProcess) -> None:
    pcm = generate(worker, text=TEXT, seed=7, format="pcm")
    assert pcm.headers["content-type"] == "audio/pcm;rate=24000;channels=1"
    assert generate(worker, text=TEXT, seed=7).content[44:] == pcm.content


def test_whole_streamed_and_framed_carry_the_same_audio(worker: WorkerProcess) -> None:
    whole = generate(worker, text=TEXT, seed=7).content
    streamed = generate(worker, text=TEXT, seed=7, stream=True)
    framed = audio_of(speak(worker.url, text=TEXT, seed=7))
    assert streamed.headers["transfer-encoding"] == "chunked"
    assert streamed.content == framed
    assert framed[44:] == whole[44:]
    assert struct.unpack_from("<I", framed, 4) == struct.unpack_from("<I", framed, 40) == (0xFFFFFFFF,)


def test_frames_tell_what_speaks_and_mark_each_piece(worker: WorkerProcess) -> None:
    start, *between, end = speak(worker.url, text=TEXT, format="pcm", request_id="req_frames")
    assert start == Start(1, "req_frames", "cpu", "hibari", "heart", "pcm", 24_000)
    marks = [message for message in between if isinstance(message, Mark)]
    assert [TEXT[mark.source_from : mark.source_to] for mark in marks] == [TEXT[:45], TEXT[45:]]
    assert isinstance(end, End)
    assert end.characters == len(TEXT)
    assert (end.pieces, end.pieces_remade) == (2, 0)
    assert end.audio_ms == marks[-1].audio_ms == len(audio_of(between)) // 48
    assert 0 < end.gpu_ms < end.audio_ms
    played = 0
    for message in between:
        if isinstance(message, Audio):
            assert len(message.data) <= 8192
            played += len(message.data)
        else:
            assert isinstance(message, Mark)
            assert message.audio_ms == played // 48


def test_offsets_count_the_callers_characters(worker: WorkerProcess) -> None:
    text = "  😀 First [laugh] one.\n\n[sigh] Second 😀 one.  "
    marks = [message for message in speak(worker.url, text=text) if isinstance(message, Mark)]
    spans = [text[mark.source_from : mark.source_to] for mark in marks]
    assert spans == ["  😀 First [laugh] one.\n\n[sigh] ", "Second 😀 one.  "]


def test_tags_are_not_read_aloud(worker: WorkerProcess) -> None:
    plain = generate(worker, text="Well, hello there.", seed=1).content
    assert generate(worker, text="Well, [laugh] hello there. [clear throat]", seed=1).content == plain
    assert generate(worker, text="Well, [sneeze] hello there.", seed=1, unknown_tags="drop").content == plain
    assert generate(worker, text="Well, [sneeze] hello there.", seed=1).content != plain


def test_what_has_no_sounds_belongs_to_a_neighbour(worker: WorkerProcess) -> None:
    messages = speak(worker.url, text="😀😀!\nHello.\n😀", format="pcm")
    assert [type(message) for message in messages[:2]] == [Start, Audio]
    assert [message.source_to for message in messages if isinstance(message, Mark)] == [12]


def test_same_seed_same_audio_and_pieces_differ_in_noise(worker: WorkerProcess) -> None:
    first = generate(worker, text="Hello. Hello.", seed=3, format="pcm").content
    assert generate(worker, text="Hello. Hello.", seed=3, format="pcm").content == first
    assert generate(worker, text="Hello. Hello.", seed=4, format="pcm").content != first
    assert first[: len(first) // 2] != first[len(first) // 2 :]


def test_speed_changes_the_length(worker: WorkerProcess) -> None:
    slow, fast = (len(generate(worker, text=TEXT, speed=speed).content) for speed in (0.5, 2.0))
    assert 3 < slow / fast < 5


@pytest.mark.parametrize(
    "text", ["a", "5", "½", "&", "Ünïcödé", "x" * 3000, "\u202eright to left", "a\x00b", "x¹", "⑴", "9" * 60]
)
def test_odd_texts_are_spoken(worker: WorkerProcess, text: str) -> None:
    assert len(generate(worker, text=text, format="pcm").content) > 4800


def test_the_longest_text_is_spoken(worker: WorkerProcess) -> None:
    text = "Ten thousand characters. " + "😀" * 9_975
    *_, end = speak(worker.url, text=text)
    assert isinstance(end, End)
    assert end.characters == 10_000


def test_the_request_id_is_repeated(worker: WorkerProcess) -> None:
    request = {"text": "Hi."}
    by_header = httpx.post(f"{worker.url}/generate", json=request, headers={"X-Request-Id": "req_1"})
    by_field = httpx.post(f"{worker.url}/generate", json=request | {"request_id": "req_2"})
    unfit = httpx.post(f"{worker.url}/generate", json=request, headers={"X-Request-Id": "a b"})
    assert by_header.headers["x-request-id"] == "req_1"
    assert by_field.headers["x-request-id"] == "req_2"
    assert unfit.headers["x-request-id"].startswith("req_")
