"""`python -m bench.quality_cost FILE TEXT ROUNDS`: what examining one clip costs a process of its own.

Prints a line of JSON. The decoding child is counted in, with its time and apart with its memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from apps.contributions.quality import examine
from bench.figures import median


def main() -> int:
    data, text, rounds = Path(sys.argv[1]).read_bytes(), sys.argv[2], int(sys.argv[3])
    taken = []
    for _ in range(rounds + 1):
        before = _cpu_seconds()
        started = time.monotonic()
        examine(data, prompt=text, language="en")
        taken.append((_cpu_seconds() - before, time.monotonic() - started))
    (first, _), *later = taken
    figures = {
        "cpu_seconds": median([cpu for cpu, _ in later]),
        "cpu_seconds_max": max(cpu for cpu, _ in later),
        "first_cpu_seconds": first,
        "wall_seconds": median([wall for _, wall in later]),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }
    print(json.dumps(figures))
    return 0


def _cpu_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = [resource.getrusage(kind) for kind in kinds]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    sys.exit(main())
