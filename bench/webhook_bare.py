"""`python -m bench.webhook_bare FILE`: the same requests without the platform, to compare with.

Told `{"ports": […], "count": n}` it signs and posts as many, from as many threads as the platform has, with
no database, no queue and no log. FILE gets requests a second, and CPU seconds of this process.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import django

THREADS = 64


def send(ports: list[int], count: int) -> dict[str, float]:
    from apps.core.outbound.client import client
    from apps.webhooks import signing
    from apps.webhooks.catalogue import find

    body = json.dumps({"type": "budget.threshold_reached", "data": find("budget.threshold_reached").example})
    secret = signing.new_secret()

    def post(number: int, port: int) -> bool:
        moment = datetime.now(UTC)
        headers = signing.headers(f"evt_bare_{number}", moment=moment, body=body, secrets=[secret])
        answer = client().post(f"http://127.0.0.1:{port}/hook", body=body.encode(), headers=headers)
        return answer.status == 200

    began, cpu_began = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(THREADS) as pool:
        came = sum(pool.map(post, range(count), islice(cycle(ports), count)))
    seconds = time.monotonic() - began
    return {"per_second": came / seconds, "cpu_ms": (time.process_time() - cpu_began) * 1000 / count}


if __name__ == "__main__":
    django.setup()
    told = json.load(sys.stdin)
    Path(sys.argv[1]).write_text(json.dumps(send(told["ports"], told["count"])))
