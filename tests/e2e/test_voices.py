"""Voices in a browser: heard, added with consent, withdrawn, deleted."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from apps.deployments.models import Worker
from apps.tts import previews
from apps.voices import statements
from apps.voices.models import Voice
from tests.e2e.signed_in import sign_in
from tests.gpu_worker.voices.recordings import recording
from tests.platform import Tenant
from tests.tts.voices.conftest import cloning, cloning_worker
from voiceflow.settings.media import storage

__all__ = ["cloning", "cloning_worker"]

pytestmark = pytest.mark.browser


@pytest.fixture
def in_server(acme: Tenant, settings: Any) -> None:
    """Media of the server, here too."""
    place = {"S3_BUCKET": "", "VAR_DIR": acme.server.folder}
    settings.STORAGES = settings.STORAGES | {"default": storage(place)}


def make_preview(voice: Voice) -> None:
    """As Celery does; in a thread, for the browser's own event loop runs in this one."""

    def make() -> None:
        previews.make(voice.pk)
        connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(make).result()


def hear(page: Page, name: str) -> float:
    """Plays a voice's clip; answers how long the browser takes it to be, in seconds."""
    player = page.get_by_role("group", name=name, exact=True)
    player.get_by_role("button", name="Play").click()
    expect(player.locator("[data-time]")).to_have_text(re.compile(r"^0:0\d\.\d / 0:0[1-9]\.\d$"))
    return float(player.locator("audio").evaluate("audio => audio.duration"))


def add(page: Page, folder: Path) -> None:
    file = folder / "ada.wav"
    file.write_bytes(recording(hertz=440))
    page.get_by_role("link", name="Add voice").first.click()
    page.get_by_label("Name").fill("Ada, reading")
    page.get_by_label("Recording").set_input_files(file)
    page.get_by_label("Language").select_option("English")
    expect(page.get_by_text(statements.current_consent().text)).to_be_visible()
    page.get_by_role("button", name="Add voice").click()  # the browser itself asks for the consent
    expect(page).to_have_url(re.compile("/voices/new$"))
    page.get_by_label("I agree to this statement").check()
    page.get_by_role("button", name="Add voice").click()
    expect(page.get_by_role("heading", name="Ada, reading")).to_be_visible()


def test_a_voice_from_its_recording_to_its_end(
    page: Page, acme: Tenant, cloning: Worker, in_server: None, tmp_path: Path
) -> None:
    sign_in(page, acme)
    page.goto("/voices")
    expect(page.get_by_text("No voices yet")).to_be_visible()
    add(page, tmp_path)
    expect(page.get_by_text("The preview is being made.")).to_be_visible()
    voice = Voice.objects.get()
    make_preview(voice)
    # The page looks for it by itself.
    expect(page.get_by_role("group", name="Ada, reading", exact=True)).to_be_visible(timeout=10_000)
    assert 3 < hear(page, "Ada, reading") < 10

    page.goto("/voices")
    assert hear(page, "Ada, reading") > 3
    page.get_by_label("Whose").select_option("The platform's")
    expect(page.get_by_text("No voice matches")).to_be_visible()

    page.goto(f"/voices/{voice.pk}")
    page.get_by_role("link", name="Withdraw consent").click()
    button = page.get_by_role("button", name="Withdraw consent")
    expect(button).to_be_disabled()
    page.get_by_label("Type Ada, reading to confirm").fill("Ada, reading")
    button.click()
    expect(page.get_by_text("The consent was withdrawn.")).to_be_visible()
    assert acme.generate(voice=str(voice.pk)).status_code == 403
    page.get_by_role("link", name="Delete voice").click()
    page.get_by_label("Type Ada, reading to confirm").fill("Ada, reading")
    page.get_by_role("button", name="Delete voice").click()
    expect(page.get_by_text("Ada, reading is deleted.")).to_be_visible()


def test_the_voice_that_is_played_silences_the_other(
    page: Page, acme: Tenant, cloning: Worker, in_server: None
) -> None:
    for name in ("One", "Two"):
        voice = Voice.objects.create(category="premade", engine_voice="tone", name=name)
        make_preview(voice)
        Voice.objects.filter(pk=voice.pk).update(engine_voice=name.lower())
    sign_in(page, acme)
    page.goto("/voices")
    for name in ("One", "Two"):
        hear(page, name)
    players = page.locator(".player.playing")
    expect(players).to_have_count(1)
    expect(players).to_have_attribute("aria-label", "Two")
    page.locator("body").press("Space")
    expect(players).to_have_count(0)


def test_terms_are_accepted(page: Page, acme: Tenant) -> None:
    sign_in(page, acme)
    page.goto("/voices/terms")
    expect(page.get_by_text(statements.current_terms().text)).to_be_visible()
    page.get_by_label("I accept these terms").check()
    page.get_by_role("button", name="Accept terms").click()
    expect(page.get_by_text("Keys of your organization can add voices.")).to_be_visible()
