"""The speech worker: a program of its own that turns text into speech over HTTP."""

__version__ = "0.1.0"
