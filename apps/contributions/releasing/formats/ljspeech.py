"""LJSpeech: `metadata.csv` with `id|raw|normalised`, and `wavs/`.

The original has one speaker: whose a clip is, and its split, stand in `speakers.csv`, `id|speaker|split`.
"""

from __future__ import annotations

import io
import wave
from typing import IO

import av

from apps.contributions.releasing.contents import SAMPLE_RATE, Contents
from apps.contributions.releasing.formats.tars import Tar, table


def write(into: IO[bytes], contents: Contents) -> None:
    tar = Tar(into, mtime=contents.mtime)
    with (
        table(delimiter="|", is_quoted=False) as metadata,
        table(delimiter="|", is_quoted=False) as speakers,
    ):
        for item in contents.items():
            metadata.add([item.id, item.text, item.normalised])
            speakers.add([item.id, item.speaker, item.split])
            tar.add(f"{contents.folder}/wavs/{item.id}.wav", wav_of(contents.flac(item)))
        metadata.add_to(tar, f"{contents.folder}/metadata.csv")
        speakers.add_to(tar, f"{contents.folder}/speakers.csv")
    tar.close()


def wav_of(flac: bytes) -> bytes:
    """The same samples, uncompressed: 48 kHz mono, 16 bits."""
    pcm = bytearray()
    with av.open(io.BytesIO(flac), mode="r", format="flac") as container:
        for frame in container.decode(audio=0):
            if (frame.format.name, frame.sample_rate, frame.layout.nb_channels) != ("s16", SAMPLE_RATE, 1):
                raise ValueError(f"stored audio is {frame.format.name} at {frame.sample_rate} Hz")
            pcm += bytes(frame.planes[0])[: 2 * frame.samples]
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        writer.writeframes(pcm)
    return file.getvalue()
