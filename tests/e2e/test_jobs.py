"""A long text in the browser: made, watched, heard, cancelled."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from playwright.sync_api import Page, expect

from apps.deployments.models import Worker
from apps.keys.identity import identity_of_organization
from apps.tts.jobs.models import SpeechJob
from apps.tts.jobs.services import create_job
from apps.tts.request import SpeechBody
from tests.platform import Server, Tenant, until
from tests.tts.jobs.celery_worker import CeleryWorker
from tests.tts.jobs.texts import prose

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

# Where to leave pictures of the pages, for people to look at.
PICTURES = os.environ.get("PICTURES")


@pytest.fixture
def celery(server: Server) -> Iterator[CeleryWorker]:
    with CeleryWorker(server) as worker:
        yield worker


def sign_in(page: Page, tenant: Tenant) -> None:
    client = Client()
    client.force_login(tenant.owner)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": tenant.server.url}])


def picture(page: Page, name: str) -> None:
    if not PICTURES:
        return
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.wait_for_timeout(400)
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


def test_a_long_text_is_made_watched_and_heard(
    page: Page, acme: Tenant, cpu: Worker, celery: CeleryWorker, tmp_path: Path
) -> None:
    sign_in(page, acme)
    page.goto("/")
    page.get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
    picture(page, "jobs-empty")
    page.get_by_role("link", name="New job").first.click()
    book = tmp_path / "The ferry.txt"
    book.write_text(prose(9_000))
    page.locator("[data-text-file]").set_input_files(book)
    expect(page.get_by_label("Title")).to_have_value("The ferry")
    expect(page.locator("[data-count]")).to_have_text("9\u202f000")
    page.locator("select[name=voice]").select_option(label="heart")
    picture(page, "jobs-new")
    page.get_by_role("button", name="Start job").click()

    expect(page.get_by_role("heading", name="The ferry")).to_be_visible()
    bar = page.get_by_role("progressbar", name="How much of the text is spoken")
    shown = page.wait_for_function(
        """() => {
            const bar = document.querySelector("#job-now progress");
            return bar && bar.value > 0.1 && bar.value < 1 ? bar.value : false;
        }""",
        timeout=60_000,
    ).json_value()
    assert 0.1 < shown < 1
    picture(page, "jobs-running")
    expect(page.get_by_text("Completed")).to_be_visible(timeout=60_000)
    expect(bar).to_have_attribute("value", "1.0000")

    player = page.locator("[data-player]")
    expect(player.locator("[data-time]")).to_have_text(re.compile(r"^0:00\.0 / \d+:\d\d\.\d$"))
    player.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('[data-clip]').currentTime > 0.5")
    player.get_by_role("button", name="Pause").click()
    page.locator("[data-wave]").click(position={"x": 200, "y": 20})
    page.wait_for_function("() => document.querySelector('[data-clip]').currentTime > 20")
    picture(page, "jobs-completed")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").first.click()
    assert download.value.suggested_filename == "The-ferry.mp3"
    assert download.value.path().stat().st_size == SpeechJob.objects.get().result_bytes

    page.get_by_role("link", name="Parts", exact=True).click()
    expect(page.get_by_role("row")).to_have_count(1 + SpeechJob.objects.get().parts.count())
    picture(page, "jobs-parts")
    page.get_by_role("link", name="Jobs").first.click()
    expect(page.get_by_role("link", name="The ferry")).to_be_visible()
    picture(page, "jobs-list")


def test_a_job_is_cancelled_and_one_that_failed_is_resumed(
    page: Page, acme: Tenant, cpu: Worker, celery: CeleryWorker
) -> None:
    sign_in(page, acme)
    page.goto("/jobs/new")
    page.get_by_label("Text").fill(prose(40_000))
    page.get_by_role("button", name="Start job").click()
    page.get_by_role("button", name="Cancel job").click()
    expect(page.locator("#job-now").get_by_text("Cancelled")).to_be_visible()

    with transaction.atomic():
        job, _ = create_job(
            identity=identity_of_organization(acme.organization.pk),
            body=SpeechBody(text="Hello there. This is spoken in the end."),
            title="Comes back",
        )
        SpeechJob.objects.filter(pk=job.pk).update(voice="gone")
    page.goto(f"/jobs/{job.pk}")
    expect(page.get_by_text("There is no voice 'gone'.")).to_be_visible(timeout=60_000)
    SpeechJob.objects.filter(pk=job.pk).update(voice="heart")
    picture(page, "jobs-failed")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Completed")).to_be_visible(timeout=60_000)
    until(lambda: SpeechJob.objects.get(pk=job.pk).state == "completed", what="the end")
