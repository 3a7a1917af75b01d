"""`python -m gpu_worker`: a speech worker of its own, set up by its environment."""

from __future__ import annotations

import os
import sys

# Numeric libraries read these once, as they load: each engine thread does its own arithmetic.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# onnxruntime reports to its maker otherwise, from its import on.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from gpu_worker.config import Settings, SettingsError  # noqa: E402
from gpu_worker.process import WRONG_SETTING, run  # noqa: E402


def main() -> int:
    """Serves until it is told to stop; returns the exit status."""
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before there is a log
        return WRONG_SETTING
    return run(settings)


sys.exit(main())
