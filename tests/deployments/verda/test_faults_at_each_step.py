from __future__ import annotations
from collections.abc import Iterator
from typing import Any
import pytest
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.verda.life import DEDICATED, SERVERLESS, Life, lived, shape

pytestmark = pytest.mark.django_db


@pytest.fixture
def life(request, settings, fake_worker) -> Iterator[Life]:
    with lived(settings, fake_worker, request.param) as made:
        yield made


@pytest.mark.parametrize("life", ["serverless", "dedicated"], indirect=True)
def test_clean(life: Life):
    import time

    for step in life.steps:
        t = time.time()
        m = time.monotonic()
        life.verda.calls.clear()
        n = life.looks
        life.begin(step)
        life.finish(step)
        calls = {}
        for c in life.verda.calls:
            k = (c.method, shape(c.path))
            calls[k] = calls.get(k, 0) + 1
        print(step, life.looks - n, "looks", time.monotonic() - m, life.deployment.state, calls)
    life.leaves_nothing()
    print(life.failures, life.recorded(), life.verda.bill())
    print(list(life.deployment.events.values_list("to_state", "reason")))
    life.is_charged_fairly(unseen_looks=0)
