"""`python -m gpu_worker.fetch_model ENGINE FOLDER`: a Chatterbox checkpoint from the hub, for MODEL_DIR.

HF_TOKEN is sent where it is set. Exit status 1 where it cannot be fetched.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gpu_worker.engines.base import EngineLoadError
from gpu_worker.engines.chatterbox.hub import fetched
from gpu_worker.engines.chatterbox.kinds import KINDS


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m gpu_worker.fetch_model", description="A Chatterbox checkpoint."
    )
    parser.add_argument("engine", choices=list(KINDS))
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        fetched(KINDS[options.engine], options.folder)
    except EngineLoadError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
