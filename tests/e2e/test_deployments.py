"""A deployment in the browser: made, watched until it is ready, heard, deleted, with nothing left of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from apps.deployments.models import Deployment
from apps.deployments.shared import SHARED_NAME
from apps.deployments.states import State
from tests.deployments.local_provider import Supervisor, is_alive
from tests.e2e.signed_in import sign_in
from tests.platform import Server, Tenant, until, wait_for_route
from tests.tts.jobs.celery_worker import CeleryWorker

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def platform(acme: Tenant, server: Server) -> Iterator[Supervisor]:
    """Celery and the local provider beside the server, and a shared deployment that staff stopped."""
    Deployment.objects.create(name=SHARED_NAME, engine="cpu", state=State.STOPPED)
    supervisor = Supervisor(server.folder)
    supervisor.start()
    try:
        with CeleryWorker(server):
            yield supervisor
    finally:
        supervisor.close()


def deploy(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Deployments").click()
    expect(page.get_by_role("heading", name="No deployments yet")).to_be_visible()
    page.get_by_role("link", name="Deploy", exact=True).first.click()
    page.get_by_label("Name").fill("reader")
    page.get_by_role("radio", name="H100").check()
    expect(page.locator("[data-estimate-of=at-max]")).to_have_text("$2.55")
    page.get_by_role("radio", name="None: the CPU").check()
    expect(page.get_by_text("there is no list price")).to_be_visible()
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("heading", name="reader")).to_be_visible()


def hear(page: Page) -> float:
    """What the playground plays, in seconds."""
    page.get_by_role("link", name="Hear it in the playground").click()
    page.wait_for_url("**/playground")  # and its scripts
    page.get_by_label("Text").fill("My own deployment says this.")
    page.get_by_role("button", name=re.compile("Generate")).click()
    duration = page.wait_for_function(
        """() => {
            const audio = document.querySelector("audio");
            return audio && isFinite(audio.duration) && audio.duration > 0 ? audio.duration : false;
        }""",
        timeout=20_000,
    ).json_value()
    return float(duration)


def test_from_deploy_to_speech_to_nothing_left(page: Page, acme: Tenant, platform: Supervisor) -> None:
    sign_in(page, acme)
    deploy(page)
    now = page.locator("#deployment-now")
    expect(now.get_by_text("1 of 1 workers ready.")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Requests are spoken at once.")).to_be_visible()
    deployment = Deployment.objects.get(name="reader")
    [process] = platform.workers()

    page.get_by_role("link", name="Speak").click()
    expect(page.locator("#speak-code-curl")).to_contain_text('"model": "hibari"')
    wait_for_route(acme, model="hibari")
    answer = acme.generate(model="hibari")
    assert (answer.status_code, answer.content[:4]) == (200, b"RIFF")
    assert acme.settled().deployment_id == deployment.pk
    assert 1 < hear(page) < 10

    page.goto(f"/deployments/{deployment.pk}")
    page.get_by_text("Actions").first.click()
    page.get_by_role("link", name="Delete").click()
    button = page.get_by_role("button", name="Delete deployment")
    expect(button).to_be_disabled()
    page.get_by_label("Type reader to confirm").fill("reader")
    button.click()
    expect(page.get_by_text("Being deleted")).to_be_visible()
    # The list looks by itself, and has nothing left to show.
    expect(page.get_by_role("heading", name="No deployments yet")).to_be_visible(timeout=40_000)
    until(lambda: not platform.workers(), what="the end of its worker")
    assert not is_alive(process.pid)
