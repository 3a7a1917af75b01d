"""`python -m gpu_worker.references.child PARENT RATE SECONDS`: decodes one recording in a process of its own.

The file is standard input, and PARENT the process that it dies with. Standard output gets one byte that says
what follows: `A` and mono s16le samples at RATE Hz, or `R` and the reason of a refusal. The process opens no
file or socket once it reads, writes no file, and has little memory and time: what FFmpeg is made to do by a
hostile file ends with it.
"""

from __future__ import annotations

import ctypes
import io
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Final, NoReturn

import av
import av.subtitles.stream
import av.video.stream
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

_CPU_SECONDS: Final = 10
_ADDRESS_SPACE_BYTES: Final = 1 << 30
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38

_MIN_SAMPLE_RATE: Final = 8_000
_MAX_SAMPLE_RATE: Final = 192_000
_MAX_CHANNELS: Final = 8
_MAX_STREAMS: Final = 4
_CODECS: Final = frozenset(
    {"aac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "pcm_u8", "pcm_s16le", "pcm_s24le"}
    | {"pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw"}
)
_FORMATS_IN_WORDS: Final = "wav, flac, mp3, ogg (opus, vorbis), m4a or aac, webm (opus)"


class Refused(Exception):
    """The file is no recording that is taken; the words are for the caller."""


def main() -> int:
    """Decodes standard input; returns the exit status, 0 also for a refusal."""
    parent, rate, max_seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    confine(parent)
    data = sys.stdin.buffer.read()
    try:
        answer = b"A" + decoded(data, rate, max_seconds)
    except Refused as refusal:
        answer = b"R" + str(refusal).encode()
    except (av.FFmpegError, ValueError, UnicodeError, ArithmeticError, LookupError):
        answer = b"RThe reference is damaged, or not the kind of file that it begins like."
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return 0


def confine(parent: int) -> None:
    """Gives up what decoding does not need, and ties this process's life to its parent's."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_AS, _ADDRESS_SPACE_BYTES),
        # Standard input, output and error are open already; nothing else can be.
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(limit, (value, value))


def decoded(data: bytes, rate: int, max_seconds: float) -> bytes:
    """The recording as mono s16le at `rate` Hz. Raises Refused, or what PyAV raises on a damaged file."""
    with av.open(
        io.BytesIO(data),
        mode="r",
        format=container_format(data),
        container_options={"codec_whitelist": ",".join(sorted(_CODECS)), "protocol_whitelist": "none"},
        metadata_errors="replace",
        io_open=_opens_nothing,
    ) as container:
        stream = _only_audio(container)
        return _mono(_frames(container, stream), rate, max_seconds)


def container_format(data: bytes) -> str:
    """FFmpeg's name of the container that the first bytes are of; its own guessing is never asked."""
    head = data[:12]
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mov"
    by_magic = {b"fLaC": "flac", b"OggS": "ogg", b"\x1a\x45\xdf\xa3": "matroska", b"ID3": "mp3"}
    for magic, name in by_magic.items():
        if head.startswith(magic):
            return name
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # The two layer bits are zero in ADTS alone.
        return "mp3" if head[1] & 0x06 else "aac"
    raise Refused(f"The reference is not a recording in a known format; send {_FORMATS_IN_WORDS}.")


def _opens_nothing(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise Refused("The reference names other files; send a recording that is whole in itself.")


def _only_audio(container: InputContainer) -> AudioStream:
    streams = container.streams
    if len(streams) > _MAX_STREAMS:
        raise Refused(f"The reference has {len(streams)} streams; send one stream of audio alone.")
    pictures = [stream for stream in streams.video if stream.disposition & stream.disposition.attached_pic]
    if len(streams.audio) != 1 or len(streams.video) != len(pictures):
        raise Refused("The reference must hold one stream of audio and no video.")
    stream = streams.audio[0]
    context = stream.codec_context
    if context is None or context.name not in _CODECS:
        raise Refused(f"The reference's codec is not taken; send {_FORMATS_IN_WORDS}.")
    if not _MIN_SAMPLE_RATE <= context.sample_rate <= _MAX_SAMPLE_RATE:
        raise Refused(
            f"The reference has {context.sample_rate} samples a second; "
            f"{_MIN_SAMPLE_RATE} to {_MAX_SAMPLE_RATE} are taken."
        )
    if not 1 <= context.channels <= _MAX_CHANNELS:
        raise Refused(f"The reference must have 1 to {_MAX_CHANNELS} channels; send one with 1 or 2.")
    context.thread_count = 1
    return stream


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[av.AudioFrame]:
    for packet in container.demux(stream):
        yield from packet.decode()


def _mono(frames: Iterator[av.AudioFrame], rate: int, max_seconds: float) -> bytes:
    # s16, for on the way to it FFmpeg mixes channels down without going over full scale.
    resampler = AudioResampler(format="s16", layout="mono", rate=rate)
    mono = bytearray()
    for frame in frames:
        if not _MIN_SAMPLE_RATE <= frame.sample_rate <= _MAX_SAMPLE_RATE:
            raise Refused("The reference changes its sample rate.")
        for part in resampler.resample(frame):
            mono += bytes(part.planes[0])[: 2 * part.samples]
        if len(mono) > 2 * rate * max_seconds:
            return bytes(mono)
    for part in resampler.resample(None):
        mono += bytes(part.planes[0])[: 2 * part.samples]
    return bytes(mono)


if __name__ == "__main__":
    sys.exit(main())
