"""`python -m gpu_worker`: a speech worker of its own, set up by its environment.

`--engine` and `--model-dir` stand for ENGINE and MODEL_DIR.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# Numeric libraries read these once, as they load: each engine thread does its own arithmetic.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# onnxruntime reports to its maker otherwise, from its import on.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from gpu_worker.config import ENGINES, Settings, SettingsError  # noqa: E402
from gpu_worker.process import WRONG_SETTING, run  # noqa: E402


def main() -> int:
    """Serves until it is told to stop; returns the exit status."""
    try:
        settings = Settings.from_environment(_environment(sys.argv[1:]))
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before there is a log
        return WRONG_SETTING
    return run(settings)


def _environment(arguments: list[str]) -> dict[str, str]:
    """The environment, and over it what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m gpu_worker", description="A speech worker over HTTP.")
    parser.add_argument("--engine", help="ENGINE: " + ", ".join(ENGINES))
    parser.add_argument("--model-dir", type=Path, help="MODEL_DIR: the folder of Chatterbox's checkpoint")
    given = parser.parse_args(arguments)
    named = {"ENGINE": given.engine, "MODEL_DIR": given.model_dir and str(given.model_dir)}
    return dict(os.environ) | {name: value for name, value in named.items() if value}


sys.exit(main())
