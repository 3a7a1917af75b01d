"""The speech worker: a program of its own that turns text into speech over HTTP."""

import os

# From 1.29 on onnxruntime tells its maker what it runs, unless this is set before it is first imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
