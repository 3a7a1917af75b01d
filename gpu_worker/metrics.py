"""What Prometheus reads."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_WAIT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_AUDIO_BUCKETS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200)


class Metrics:
    """The worker's own registry, so that two workers in one process would not meet."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        PlatformCollector(registry=self._registry)
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "tts_requests_total", "Speech requests by outcome", ["status"], registry=self._registry
        )
        self.active_connections = Gauge(
            "tts_active_connections", "Speech requests being answered", registry=self._registry
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

    def _histogram(self, name: str, documentation: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, documentation, buckets=buckets, registry=self._registry)

    def render(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)
