"""What Prometheus reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gpu_worker.engines.base import EngineFigures
from gpu_worker.gpu import GpuReader, GpuSample

_WAIT_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_AUDIO_BUCKETS: Final = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200)
_FACTOR_BUCKETS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 5)
_BATCH_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64)
_LAG_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
_LAG_SAMPLE_SECONDS: Final = 0.02

# When a series began is of no use to anybody here, and would be half of all lines.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The worker's own registry, so that two workers in one process would not meet.

    `requests` counts by outcome: `ok`, or the code of the error.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        PlatformCollector(registry=self._registry)
        ProcessCollector(registry=self._registry)
        self._registry.register(_GpuCollector(GpuReader()))
        self.requests = Counter(
            "tts_requests_total", "Speech requests by outcome", ["status"], registry=self._registry
        )
        self.active_connections = self._gauge("tts_active_connections", "Speech requests being answered")
        self.queue_depth = self._gauge("tts_queue_depth", "Speech requests that wait for an engine")
        self.pieces_remade = Counter(
            "tts_pieces_remade_total",
            "Pieces made once again, by what was wrong with their audio",
            ["reason"],
            registry=self._registry,
        )
        self.duration = self._histogram(
            "tts_request_duration_seconds", "From arrival to the last byte", _WAIT_BUCKETS
        )
        self.audio = self._histogram("tts_audio_duration_seconds", "Speech made a request", _AUDIO_BUCKETS)
        self.queue_wait = self._histogram(
            "tts_queue_wait_seconds", "From arrival to an engine's first work", _WAIT_BUCKETS
        )
        self.first_audio = self._histogram(
            "tts_time_to_first_audio_seconds", "From arrival to the first bytes of audio", _WAIT_BUCKETS
        )
        self.real_time_factor = self._histogram(
            "tts_real_time_factor", "Engine time of a request by the length of its speech", _FACTOR_BUCKETS
        )
        self.batch_size = self._histogram(
            "tts_batch_size",
            "Pieces that an engine works on at once",
            _BATCH_BUCKETS,
        )
        self.event_loop_lag = self._histogram(
            "tts_event_loop_lag_seconds", "How late the event loop came to a task that was due", _LAG_BUCKETS
        )

        self.event_loop_busy = self._histogram(
            "tts_event_loop_busy_seconds", "What of the lag was work of the loop's own thread", _LAG_BUCKETS
        )

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Has `tts_queue_depth` ask at each scrape."""
        self.queue_depth.set_function(waiting)

    def watch_engine(self, figures: Callable[[], EngineFigures | None]) -> None:
        """Has the engine's own figures asked for at each scrape."""
        self._registry.register(_EngineCollector(figures))

    def render(self) -> bytes:
        """All of it in Prometheus's text format. May wait for a GPU's driver: not for an event loop."""
        return generate_latest(self._registry)

    async def watch_event_loop(self) -> None:
        """Samples how late the running loop is, until it is cancelled.

        On a machine that is busy with others it is late without work of its own: CPU time tells them apart.
        """
        loop = asyncio.get_running_loop()
        while True:
            due_at, cpu_seconds = loop.time() + _LAG_SAMPLE_SECONDS, time.thread_time()
            await asyncio.sleep(_LAG_SAMPLE_SECONDS)
            lag = max(0.0, loop.time() - due_at)
            self.event_loop_lag.observe(lag)
            self.event_loop_busy.observe(min(lag, time.thread_time() - cpu_seconds))

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(name, documentation, registry=self._registry)

    def _histogram(self, name: str, documentation: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, documentation, buckets=buckets, registry=self._registry)


class _GpuCollector(Collector):
    """Figures of the GPUs at the moment of the scrape."""

    def __init__(self, reader: GpuReader) -> None:
        self._reader = reader

    def collect(self) -> Iterator[GaugeMetricFamily]:
        samples = self._reader.samples()
        if not samples:
            return
        for name, documentation, value in _GPU_FIGURES:
            family = GaugeMetricFamily(name, documentation, labels=["gpu"])
            for sample in samples:
                if (figure := value(sample)) is not None:
                    family.add_metric([str(sample.index)], figure)
            yield family


class _EngineCollector(Collector):
    """Where an engine's time goes; nothing for one that keeps no figures."""

    def __init__(self, figures: Callable[[], EngineFigures | None]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[CounterMetricFamily]:
        figures = self._figures()
        if figures is None:
            return
        stages = CounterMetricFamily("tts_engine_seconds", "Engine time by stage", labels=["stage"])
        for stage, seconds in sorted(figures.stage_seconds.items()):
            stages.add_metric([stage], seconds)
        yield stages
        yield CounterMetricFamily("tts_tokens", "Speech tokens drawn", value=figures.tokens)
        voices = CounterMetricFamily(
            "tts_voices", "Cloned voices asked for: worked out, or found ready", labels=["found"]
        )
        voices.add_metric(["no"], figures.voices_made)
        voices.add_metric(["yes"], figures.voices_found)
        yield voices


_GPU_FIGURES: Final[tuple[tuple[str, str, Callable[[GpuSample], int | None]], ...]] = (
    (
        "gpu_utilization_percent",
        "Share of the last second in which the GPU worked",
        lambda sample: sample.utilization_percent,
    ),
    ("gpu_memory_used_bytes", "Memory of the GPU in use", lambda sample: sample.memory_used_bytes),
    ("gpu_temperature_celsius", "Temperature of the GPU's core", lambda sample: sample.temperature_celsius),
)
