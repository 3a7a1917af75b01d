"""`python -m apps.contributions.quality.child PARENT LENGTH`: decodes one clip where it can do no harm.

Standard input holds LENGTH bytes; PARENT is the process that this one dies with. Standard output gets a line
of JSON, and after it the samples, 48 kHz mono s16le, where there are any. What a hostile file makes FFmpeg do
ends with this process, which has little memory and time and opens nothing once it reads.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Final, NoReturn

import av
import av.subtitles.stream
import av.video.stream
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from apps.voices.recordings.child import confine, container_format
from apps.voices.recordings.fitness import Refused as UnknownFormat

SAMPLE_RATE: Final = 48_000
MAX_SECONDS: Final = 60
_BYTES_A_SECOND: Final = 2 * SAMPLE_RATE
# Opus has 2.5 ms at the least in a packet.
_MAX_PACKETS: Final = MAX_SECONDS * 400
_MAX_STREAMS: Final = 4
_MAX_CHANNELS: Final = 2
_RATES: Final = range(8_000, 192_001)
_CODECS: Final = frozenset(
    {"aac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "pcm_u8", "pcm_s16le", "pcm_s24le"}
    | {"pcm_s32le", "pcm_f32le"}
)


class Refused(Exception):
    """The file is no clip that can be used; the code is one of those of `refusals.py`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def main() -> int:
    """Answers for the file on standard input; returns the exit status, 0 also for a refusal."""
    parent, length = int(sys.argv[1]), int(sys.argv[2])
    confine(parent)
    samples, told = b"", {}
    try:
        samples = decoded(sys.stdin.buffer.read(length))
    except Refused as refusal:
        told = {"code": refusal.code}
    except UnknownFormat:
        told = {"code": "not_audio"}
    except (av.FFmpegError, ValueError, UnicodeError, ArithmeticError, LookupError):
        told = {"code": "damaged"}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + samples)
    sys.stdout.buffer.flush()
    return 0


def decoded(data: bytes) -> bytes:
    """48 kHz mono s16le. Raises `Refused`, or what PyAV raises on a damaged file."""
    with av.open(
        io.BytesIO(data),
        mode="r",
        format=container_format(data),
        container_options={"codec_whitelist": ",".join(sorted(_CODECS)), "protocol_whitelist": "none"},
        metadata_errors="replace",
        io_open=_opens_nothing,
    ) as container:
        samples = _mono(container, _only_audio(container))
    if not samples:
        raise Refused("no_samples")
    return samples


def _opens_nothing(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise Refused("not_audio")


def _only_audio(container: InputContainer) -> AudioStream:
    streams = container.streams
    if len(streams) > _MAX_STREAMS:
        raise Refused("streams")
    if streams.video:
        raise Refused("video")
    if len(streams.audio) != 1:
        raise Refused("streams")
    stream = streams.audio[0]
    context = stream.codec_context
    if context is None or context.name not in _CODECS:
        raise Refused("not_audio")
    if context.sample_rate not in _RATES:
        raise Refused("sample_rate")
    if not 1 <= context.channels <= _MAX_CHANNELS:
        raise Refused("channels")
    context.thread_count = 1
    return stream


def _mono(container: InputContainer, stream: AudioStream) -> bytes:
    samples = bytearray()
    # s16, for on the way to it FFmpeg mixes channels down without going over full scale.
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    for count, packet in enumerate(container.demux(stream)):
        if count > _MAX_PACKETS:
            raise Refused("too_long")
        for frame in packet.decode():
            if frame.sample_rate not in _RATES:
                raise Refused("sample_rate")
            for part in resampler.resample(frame):
                samples += bytes(part.planes[0])[: 2 * part.samples]
            if len(samples) > MAX_SECONDS * _BYTES_A_SECOND:
                raise Refused("too_long")
    for part in resampler.resample(None):
        samples += bytes(part.planes[0])[: 2 * part.samples]
    return bytes(samples)


if __name__ == "__main__":
    sys.exit(main())
