"""A contributor in a browser: recordings that cannot be sent, microphones that do not work, and listening."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import User
from apps.contributions import deciding, sentences
from apps.contributions.models import Campaign, Clip
from tests.cast import PASSWORD
from tests.contributions import collecting
from tests.e2e.clips_worker import ClipsWorker
from tests.e2e.heard import as_flac, said
from tests.e2e.recorder import agree, heard, in_thread, record, speaking_browser
from tests.platform import Server, Tenant

__all__ = ["heard", "speaking_browser"]

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SPOKEN = (
    "The river was high after three days of rain.",
    "She left her umbrella in the kitchen.",
)


@pytest.fixture
def page(speaking_browser: Browser, server: Server) -> Iterator[Page]:
    context = speaking_browser.new_context(base_url=server.url, viewport={"width": 390, "height": 844})
    context.grant_permissions(["microphone"])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    yield opened
    context.close()
    assert [line for line in complaints if "net::ERR_" not in line] == []


@pytest.fixture
def worker(server: Server) -> Iterator[ClipsWorker]:
    with ClipsWorker(server) as running:
        yield running


@pytest.fixture
def campaign(acme: Tenant) -> Campaign:
    # The microphone hears nothing but the sentence: there is no room around it to be judged.
    gates = {"review_edge_over_seconds": 30.0}
    made = collecting.campaign(acme.organization, prompts=0, name="Everyday sentences", gates=gates)
    sentences.import_prompts(made, SPOKEN)
    return made


@pytest.fixture
def ada(campaign: Campaign) -> User:
    """A person without an organization."""
    user = User.objects.create_user("ada@speaker.example", PASSWORD, name="Ada")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def sign_in_and_agree(page: Page) -> None:
    page.goto("/contribute")
    page.get_by_label("Email").fill("ada@speaker.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    agree(page)


def states() -> dict[str, int]:
    return dict(Counter(in_thread(lambda: list(Clip.objects.values_list("state", flat=True)))))


def test_offline_and_back(page: Page, ada: User, worker: ClipsWorker, heard: Path) -> None:
    sign_in_and_agree(page)
    text = SPOKEN[0]
    record(page, heard, text, said(text))
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.locator("[data-uploads]")).to_contain_text("You are offline. 1 recording kept")
    expect(page.locator(".slot", has_text=text)).to_contain_text("Waiting")
    assert states() == {}
    page.context.set_offline(False)
    expect(page.locator(".slot", has_text=text)).to_contain_text("Accepted", timeout=60_000)
    expect(page.locator("[data-uploads]")).to_be_hidden()
    assert states() == {"accepted": 1}


def test_a_take_outlives_the_page(page: Page, ada: User, worker: ClipsWorker, heard: Path) -> None:
    """One that was not submitted, and one that could not be sent, are there after a reload."""
    sign_in_and_agree(page)
    draft = SPOKEN[0]
    record(page, heard, draft, said(draft))
    page.reload()
    expect(page.locator(".slot", has_text=draft)).to_contain_text("Not sent")
    # The server answers nothing, then the page is closed.
    page.route("**/api/contributions/clips", lambda route: route.abort())
    page.get_by_role("button", name="Turn on the microphone").click()
    page.get_by_role("button", name="Begin").click(timeout=15_000)
    expect(page.locator("[data-sentence]")).to_have_text(draft)
    page.locator("[data-sentence]").click()
    page.keyboard.press("Enter")
    expect(page.locator("[data-uploads]")).to_contain_text("1 recording kept in this browser")
    assert states() == {}
    page.unroute("**/api/contributions/clips")
    page.goto("/contribute/clips")
    expect(page.locator(".clip", has_text=draft)).to_contain_text("Accepted", timeout=60_000)
    assert states() == {"accepted": 1}


def test_what_is_wrong_with_the_microphone_is_said(page: Page, ada: User) -> None:
    sign_in_and_agree(page)
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia = async () => {
          throw new DOMException("no", "NotAllowedError"); }; }"""
    )
    page.get_by_role("button", name="Turn on the microphone").click()
    expect(page.get_by_role("alert")).to_contain_text("The microphone is blocked for this page.")
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia = async () => {
          throw new DOMException("no", "NotFoundError"); }; }"""
    )
    page.get_by_role("button", name="Turn on the microphone").click()
    expect(page.get_by_role("alert")).to_contain_text("No microphone was found.")


def test_listening_to_others(page: Page, ada: User, campaign: Campaign, server: Server) -> None:
    def wait_for_listeners() -> Clip:
        other = collecting.speaker()
        collecting.agree(other, campaign)
        made = collecting.clip(other, campaign.prompts.all()[0], flac_key=f"clips/{campaign.pk}/a.flac")
        file = server.folder / "media" / made.flac_key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(as_flac(said(SPOKEN[0])))
        return made

    clip = in_thread(wait_for_listeners)
    sign_in_and_agree(page)
    page.goto("/contribute/listen")
    expect(page.get_by_text(SPOKEN[0])).to_be_visible()
    yes = page.get_by_role("button", name="Yes")
    expect(yes).to_be_disabled()
    page.keyboard.press("y")  # does nothing yet
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    page.keyboard.press("p")
    expect(yes).to_be_enabled(timeout=20_000)
    page.keyboard.press("y")
    expect(page.get_by_text("Nothing to listen to")).to_be_visible()
    assert in_thread(lambda: deciding.votes_of(clip)) == (1, 0)
