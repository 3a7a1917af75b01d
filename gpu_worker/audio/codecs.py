"""FFmpeg's encoders: samples to packets, frame by frame as each is full."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, cast

import av
import numpy as np
from av import AudioCodecContext

from gpu_worker.audio.pcm import EMPTY, Samples, to_finite, to_int16

# FFmpeg would write warnings of its own to stderr.
av.logging.set_level(None)

SampleFormat = Literal["flt", "fltp", "s16"]


class Codec:
    """One stream through one encoder. Any thread may call it, one at a time; it frees itself.

    How the stream is cut into chunks does not change the packets. `extradata` is what the encoder says of
    the stream beside them.
    """

    def __init__(
        self,
        name: str,
        sample_format: SampleFormat,
        sample_rate: int,
        *,
        bitrate: int | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        self._sample_format = sample_format
        self._sample_rate = sample_rate
        self._time_base = Fraction(1, sample_rate)
        self._held = EMPTY
        self.samples_in = 0
        context = cast(AudioCodecContext, av.CodecContext.create(name, "w"))
        context.sample_rate = sample_rate
        context.layout = "mono"
        context.format = sample_format
        context.time_base = self._time_base
        context.thread_count = 1
        context.options = options or {}
        if bitrate is not None:
            context.bit_rate = bitrate
        context.open()
        self._context = context
        self.extradata = bytes(context.extradata or b"")
        self.frame_samples = context.frame_size

    def feed(self, samples: Samples) -> list[bytes]:
        """The packets of the frames that are full now."""
        self.samples_in += len(samples)
        samples = np.concatenate([self._held, samples]) if len(self._held) else samples
        full = len(samples) - len(samples) % self.frame_samples
        packets: list[bytes] = []
        for start in range(0, full, self.frame_samples):
            packets += self._encode(samples[start : start + self.frame_samples])
        # A copy, for the caller may write into its array again.
        self._held = samples[full:].copy()
        return packets

    def finish(self) -> list[bytes]:
        """The packets of what was held back; nothing can be fed after it."""
        packets = self._encode(self._held) if len(self._held) else []
        for packet in self._context.encode(None):
            # FLAC's is whole only now; the context's own copy of it has a wrong MD5.
            if packet.has_sidedata("new_extradata"):
                self.extradata = bytes(packet.get_sidedata("new_extradata"))
            packets.append(bytes(packet))
        return packets

    def _encode(self, samples: Samples) -> list[bytes]:
        values = to_int16(samples) if self._sample_format == "s16" else to_finite(samples)
        frame = av.AudioFrame.from_ndarray(values[np.newaxis], format=self._sample_format, layout="mono")
        frame.sample_rate = self._sample_rate
        frame.time_base = self._time_base
        return [bytes(packet) for packet in self._context.encode(frame)]
