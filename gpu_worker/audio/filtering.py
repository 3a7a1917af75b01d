"""A chain of FFmpeg's audio filters over a stream of mono samples."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.error import BlockingIOError as NothingReadyError
from av.error import EOFError as EndOfStreamError
from av.filter import Graph

from gpu_worker.audio.pcm import EMPTY, Samples

# FFmpeg would write warnings of its own to stderr.
av.logging.set_level(None)


class FilterChain:
    """`filters` are (name, arguments) as FFmpeg takes them. Any thread may call it, one at a time."""

    def __init__(self, sample_rate: int, filters: Sequence[tuple[str, str]]) -> None:
        self._sample_rate = sample_rate
        self._time_base = Fraction(1, sample_rate)
        self._position = 0
        self._graph = Graph()
        self._source = self._graph.add_abuffer(
            sample_rate=sample_rate, format="flt", layout="mono", time_base=self._time_base
        )
        last = self._source
        for name, arguments in filters:
            following = self._graph.add(name, arguments)
            last.link_to(following)
            last = following
        self._sink = self._graph.add("abuffersink")
        last.link_to(self._sink)
        self._graph.configure()

    def feed(self, samples: Samples) -> Samples:
        """What comes out of the chain; may be empty."""
        if not len(samples):
            return EMPTY
        packed = np.ascontiguousarray(samples, np.float32)[np.newaxis]
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="mono")
        frame.sample_rate = self._sample_rate
        frame.time_base = self._time_base
        frame.pts = self._position
        self._position += len(samples)
        self._source.push(frame)
        return self._drain()

    def finish(self) -> Samples:
        """What was held back; nothing can be fed after it."""
        self._source.push(None)
        return self._drain()

    def _drain(self) -> Samples:
        chunks: list[Samples] = []
        while True:
            try:
                frame = cast(av.AudioFrame, self._sink.pull())
            except (NothingReadyError, EndOfStreamError):
                break
            chunks.append(frame.to_ndarray()[0].copy())
        if not chunks:
            return EMPTY
        return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)
