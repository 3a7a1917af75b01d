"""What can be told of samples without any model: level, clipping; and the file that is kept."""

from __future__ import annotations

import hashlib
import io
from typing import Final

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from apps.contributions.quality.decoding import SAMPLE_RATE, Samples
from apps.contributions.quality.report import Audio

# Within 2 % of the peak: flat tops keep this close through Opus, MP3 and AAC.
_NEAR_PEAK: Final = 0.98
# What loudness is called where there is none.
SILENCE_LUFS: Final = -99.0
_SILENCE: Final = 1e-4
_BLOCK_SECONDS: Final = 0.4
_STEPS_A_BLOCK: Final = 4
_ABSOLUTE_GATE_LUFS: Final = -70.0
_RELATIVE_GATE_LU: Final = -10.0
_OFFSET_LU: Final = -0.691
# The two filters of BS.1770-4, annex 1, at 48 kHz: (b0, b1, b2), (1, a1, a2).
_SHELF: Final = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_HIGH_PASS: Final = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


def resampled(samples: Samples, rate: int) -> Samples:
    """48 kHz mono at another rate in Hz."""
    resampler = AudioResampler(format="flt", layout="mono", rate=rate)
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    parts = [part.to_ndarray()[0] for given in (frame, None) for part in resampler.resample(given)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def clipped_share(samples: Samples) -> float:
    """The share of samples at the peak, 0 to 1: clipping flattens there, also when made quieter since.

    Under 0.0003 in clean speech. 0 for silence.
    """
    heights = np.abs(samples)
    peak = float(heights.max(initial=0.0))
    return float(np.mean(heights >= _NEAR_PEAK * peak)) if peak > _SILENCE else 0.0


def loudness_lufs(samples: Samples) -> float:
    """Integrated loudness by ITU-R BS.1770-4, mono at 48 kHz; -inf where no block is over -70 LUFS."""
    block = round(_BLOCK_SECONDS * SAMPLE_RATE)
    step = block // _STEPS_A_BLOCK
    if len(samples) < block:
        samples = np.pad(samples, (0, block - len(samples)))
    energy = np.concatenate([[0.0], np.cumsum(_k_weighted(samples) ** 2)])
    starts = np.arange(0, len(samples) - block + 1, step)
    powers = (energy[starts + block] - energy[starts]) / block
    powers = powers[_lufs(powers) > _ABSOLUTE_GATE_LUFS]
    if not len(powers):
        return -np.inf
    gate = _lufs(np.array([powers.mean()]))[0] + _RELATIVE_GATE_LU
    return float(_lufs(np.array([powers[_lufs(powers) > gate].mean()]))[0])


def _lufs(powers: np.ndarray) -> np.ndarray:
    return np.asarray(_OFFSET_LU + 10 * np.log10(np.maximum(powers, 1e-30)))


def _k_weighted(samples: Samples) -> np.ndarray:
    # By multiplying spectra, which numpy does fast where a recursive filter would be a loop in Python. The
    # filters ring for some 50 ms, so that a second of zeros keeps the end from reaching round to the start.
    length = len(samples) + SAMPLE_RATE
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(length))
    response = np.ones_like(turn)
    for above, below in (_SHELF, _HIGH_PASS):
        response *= np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)
    return np.asarray(np.fft.irfft(np.fft.rfft(samples, length) * response, length)[: len(samples)])


def kept(samples: Samples) -> Audio:
    """The FLAC file of a clip."""
    into = io.BytesIO()
    pcm = np.round(samples * 32768).clip(-32768, 32767).astype(np.int16).reshape(1, -1)
    with av.open(into, "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        assert isinstance(stream, AudioStream)  # noqa: S101 - what flac is
        stream.codec_context.format = "s16"
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        fifo = av.AudioFifo()
        fifo.write(frame)
        size = stream.codec_context.frame_size or 4096
        while part := fifo.read(size, partial=True):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    flac = into.getvalue()
    return Audio(flac, hashlib.sha256(flac).hexdigest(), len(samples) / SAMPLE_RATE)
