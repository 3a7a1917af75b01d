"""`python -m apps.voices.recordings.child PARENT LENGTH…`: makes recordings into one reference.

Standard input holds the files one after the other, LENGTH bytes each; PARENT is the process that this one
dies with. Standard output gets a line of JSON, and after it the reference as a WAV file where there is one.
The process opens no file or socket once it reads, writes no file, and has little memory and time: what FFmpeg
is made to do by a hostile file ends with it.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final, NoReturn

import av
import av.subtitles.stream
import av.video.stream
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from apps.voices.recordings.fitness import GAP_SECONDS, MAX_SECONDS, Refused, made_reference

_CPU_SECONDS: Final = 15
_ADDRESS_SPACE_BYTES: Final = 1 << 30
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38

_MIN_SAMPLE_RATE: Final = 8_000
_MAX_SAMPLE_RATE: Final = 192_000
# More than any engine listens to.
_MAX_KEPT_RATE: Final = 48_000
_MAX_CHANNELS: Final = 2
_MAX_STREAMS: Final = 4
_CODECS: Final = frozenset(
    {"aac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "pcm_u8", "pcm_s16le", "pcm_s24le"}
    | {"pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw"}
)
_FORMATS_IN_WORDS: Final = "WAV, FLAC, MP3, Ogg (Opus, Vorbis), M4A or AAC, or WebM (Opus)"
_DAMAGED: Final = Refused(
    "recording_unreadable", "The recording is damaged, or not the kind of file that it begins like."
)


def main() -> int:
    """Answers for the files on standard input; returns the exit status, 0 also for a refusal."""
    parent, lengths = int(sys.argv[1]), [int(argument) for argument in sys.argv[2:]]
    confine(parent)
    files = [sys.stdin.buffer.read(length) for length in lengths]
    wav = b""
    try:
        pcm, rate = decoded(files)
        wav, facts = made_reference(pcm, rate)
        told = asdict(facts)
    except Refused as refusal:
        told = {"code": refusal.code, "message": refusal.message}
    except (av.FFmpegError, ValueError, UnicodeError, ArithmeticError, LookupError):
        told = {"code": _DAMAGED.code, "message": _DAMAGED.message}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + wav)
    sys.stdout.buffer.flush()
    return 0


def confine(parent: int) -> None:
    """Gives up what decoding does not need, and ties this process's life to its parent's."""
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE_BYTES, _ADDRESS_SPACE_BYTES))
    if os.getppid() != parent:
        sys.exit(1)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        # Standard input, output and error are open already; nothing else can be.
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(limit, (value, value))


def decoded(files: list[bytes]) -> tuple[bytes, int]:
    """All of them one after the other, mono s16le, at the rate of the first; and that rate in Hz.

    Raises Refused, or what PyAV raises on a damaged file.
    """
    rate, mono = 0, bytearray()
    for data in files:
        with _opened(data) as container:
            stream = _only_audio(container)
            rate = rate or min(stream.codec_context.sample_rate, _MAX_KEPT_RATE)
            if mono:
                mono += bytes(2 * round(GAP_SECONDS * rate))
            _append_mono(mono, _frames(container, stream), rate)
    return bytes(mono), rate


def _opened(data: bytes) -> InputContainer:
    return av.open(
        io.BytesIO(data),
        mode="r",
        format=container_format(data),
        container_options={"codec_whitelist": ",".join(sorted(_CODECS)), "protocol_whitelist": "none"},
        metadata_errors="replace",
        io_open=_opens_nothing,
    )


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
    raise Refused("recording_format", f"This is not a recording in a known format; send {_FORMATS_IN_WORDS}.")


def _opens_nothing(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise Refused("recording_format", "The recording names other files; send one that is whole in itself.")


def _only_audio(container: InputContainer) -> AudioStream:
    streams = container.streams
    if len(streams) > _MAX_STREAMS:
        raise Refused("recording_format", f"The recording has {len(streams)} streams; send audio alone.")
    pictures = [stream for stream in streams.video if stream.disposition & stream.disposition.attached_pic]
    if len(streams.audio) != 1 or len(streams.video) != len(pictures):
        raise Refused("recording_format", "The recording must hold one stream of audio and no video.")
    stream = streams.audio[0]
    context = stream.codec_context
    if context is None or context.name not in _CODECS:
        raise Refused("recording_format", f"The recording's codec is not taken; send {_FORMATS_IN_WORDS}.")
    if not _MIN_SAMPLE_RATE <= context.sample_rate <= _MAX_SAMPLE_RATE:
        raise Refused(
            "recording_format",
            f"The recording has {context.sample_rate} samples a second; "
            f"{_MIN_SAMPLE_RATE} to {_MAX_SAMPLE_RATE} are taken.",
        )
    if not 1 <= context.channels <= _MAX_CHANNELS:
        raise Refused(
            "recording_channels", f"The recording has {context.channels} channels; send one or two."
        )
    context.thread_count = 1
    return stream


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[av.AudioFrame]:
    for packet in container.demux(stream):
        yield from packet.decode()


def _append_mono(mono: bytearray, frames: Iterator[av.AudioFrame], rate: int) -> None:
    # s16, for on the way to it FFmpeg mixes channels down without going over full scale.
    resampler = AudioResampler(format="s16", layout="mono", rate=rate)
    for frame in frames:
        if not _MIN_SAMPLE_RATE <= frame.sample_rate <= _MAX_SAMPLE_RATE:
            raise Refused("recording_format", "The recording changes its sample rate.")
        for part in resampler.resample(frame):
            mono += bytes(part.planes[0])[: 2 * part.samples]
        if len(mono) > 2 * rate * (MAX_SECONDS + 1):
            raise Refused("recording_too_long", f"The recording is longer than {MAX_SECONDS:g} s.")
    for part in resampler.resample(None):
        mono += bytes(part.planes[0])[: 2 * part.samples]


if __name__ == "__main__":
    sys.exit(main())
