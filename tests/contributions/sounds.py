"""Sounds that need no engine."""

from __future__ import annotations

import io

import av
import numpy as np

RATE = 48_000


def flac(hertz: float = 1_000, seconds: float = 1.0, level: float = 0.5) -> bytes:
    """A tone as the pipeline keeps clips: 48 kHz mono, 16 bits."""
    phase = np.arange(round(seconds * RATE)) * (2 * np.pi * hertz / RATE)
    pcm = np.round(level * 32_767 * np.sin(phase)).astype(np.int16).reshape(1, -1)
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        stream.codec_context.format = "s16"
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = RATE
        fifo = av.AudioFifo()
        fifo.write(frame)
        while part := fifo.read(4096, partial=True):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()
