"""Ctrl-C, SIGTERM and a closed terminal, as a question that the main loop asks."""

from __future__ import annotations

import signal
from types import FrameType

from .errors import StopRequestedError

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Counts requests to stop: the first means an orderly end, a second one an end at once."""

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        for number in _STOP_SIGNALS:
            signal.signal(number, self._received)

    @property
    def hurry(self) -> bool:
        return self.count > 1

    def check(self) -> None:
        """Raises `StopRequestedError` once a stop was asked for."""
        if self.count:
            raise StopRequestedError

    def _received(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
