"""The platform as it runs, with real speech at the stand-in of Verda: from a call to nothing left."""

from __future__ import annotations

import threading

import httpx
import pytest

from tests.deployments.verda.running import LONG, PATIENT, Platform, eventually, hall, platform, server, verda

__all__ = ["hall", "platform", "server", "verda"]
# More than what goes before the audio.
AMID_AUDIO_BYTES = 20_000
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def test_a_container_from_a_call_to_nothing_left(platform: Platform) -> None:
    platform.verda.edge.cold_start_seconds = 0.5
    platform.deploy("serverless", scale_down_delay_seconds=4)
    platform.speaks()
    platform.streams()

    platform.until_asleep()
    refused = platform.acme.generate(model="hibari")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "deployment_asleep")
    platform.until("ready")
    platform.until_asleep()
    platform.speaks(**PATIENT)

    with platform.nobody_fails():
        platform.update_image()
    assert platform.hall.serving(platform.name)["GENERATION"] == "2"
    platform.speaks()
    platform.delete()


def test_a_machine_that_is_reclaimed_from_a_call_to_nothing_left(platform: Platform) -> None:
    platform.deploy("dedicated")
    platform.speaks()
    platform.streams()

    [first] = platform.verda.instances
    platform.verda.reclaim(first)
    platform.until("degraded")
    platform.until("ready")
    platform.speaks()
    eventually(lambda: first not in platform.verda.instances, what="it to be given back")
    [second] = platform.verda.instances
    assert second != first

    with platform.nobody_fails():
        platform.update_image()
    platform.speaks()
    platform.delete()


def test_edges_that_hold_back_cut_and_hide(platform: Platform) -> None:
    edge = platform.verda.edge
    platform.deploy("serverless")

    edge.buffer_whole_answers = True
    platform.streams()
    platform.speaks()
    edge.buffer_whole_answers = False

    edge.end_cut_bodies_cleanly = True
    with platform.streaming(LONG) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        edge.cut(platform.name)
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
    assert platform.acme.settled().state == "cut"
    platform.speaks(**PATIENT)

    def cut_amid_audio() -> None:
        eventually(lambda: edge.bytes_passed(platform.name) > AMID_AUDIO_BYTES, what="audio")
        edge.cut(platform.name)

    cutting = threading.Thread(target=cut_amid_audio)
    cutting.start()
    answer = platform.acme.generate(LONG, model="hibari")
    cutting.join()
    assert answer.status_code == 502, answer.text[:300]
    edge.end_cut_bodies_cleanly = False

    edge.swallow_disconnects = True
    platform.speaks(**PATIENT)
    with platform.streaming(LONG) as answer:
        next(answer.iter_raw())
    assert platform.acme.settled().state == "cancelled"
    eventually(lambda: not edge.serving.get(platform.name), what="the worker's end")
    edge.swallow_disconnects = False
    platform.speaks()
    platform.delete()
