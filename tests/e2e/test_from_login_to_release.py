"""From signing in by Google to a data set that loads: a contributor and a member of staff, each in a browser.

The microphone hears what people said: see `tests.e2e.human`.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import User
from apps.accounts.services import create_organization
from apps.contributions import ledger, payouts, sentences
from apps.contributions.models import Campaign, Clip, ReleasedClip
from apps.contributions.tasks import release_earnings
from tests.accounts.signing_in.conftest import authorities, github, google, site
from tests.contributions import collecting
from tests.contributions.releasing.data import unpacked
from tests.e2e.clips_worker import ClipsWorker
from tests.e2e.heard import Samples, with_noise
from tests.e2e.human import SENTENCES, recordings
from tests.e2e.recorder import QUIET, agree, heard, in_thread, record, speaking_browser, submit
from tests.fakes.github import GitHub, GitHubAccount
from tests.fakes.google import Google, GoogleAccount
from tests.platform import CHECKOUT, Server

__all__ = ["authorities", "github", "google", "heard", "recordings", "site", "speaking_browser"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.django_db(transaction=True),
]

ADA = GoogleAccount("1001", "ada@gmail.com", "Ada Example")
OCTO = GitHubAccount(77, "octo", "Octo Example", (("octo@example.com", True, True),))
IBAN = "AT61 1904 3002 3457 3201"
NOISY, FAR_AWAY, *GOOD = SENTENCES


@contextmanager
def visiting(browser: Browser, site: Server, *, width: int, height: int) -> Iterator[Page]:
    """A page of somebody's own that fails its test for any error in the browser's log."""
    headers = {"X-Forwarded-For": "198.51.100.10"}
    viewport = {"width": width, "height": height}
    context = browser.new_context(base_url=site.url, viewport=viewport, extra_http_headers=headers)  # type: ignore[arg-type]
    context.grant_permissions(["microphone"])
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def page(speaking_browser: Browser, transactional_db: None, site: Server) -> Iterator[Page]:
    """The contributor's, on a telephone."""
    with visiting(speaking_browser, site, width=390, height=844) as opened:
        yield opened


@pytest.fixture
def office(speaking_browser: Browser, transactional_db: None, site: Server) -> Iterator[Page]:
    """That of a member of staff, signed in."""
    staff = User.objects.create_superuser("sam@staff.example", name="Sam")
    client = Client()
    client.force_login(staff)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    with visiting(speaking_browser, site, width=1280, height=900) as opened:
        opened.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site.url}])
        yield opened


@pytest.fixture
def campaign(transactional_db: None) -> Campaign:
    """A dollar a second, payable at once."""
    owner = User.objects.create_user("owner@operator.example")
    organization = create_organization(name="Operator", owner=owner)
    made = collecting.campaign(
        organization,
        prompts=0,
        name="Conference calls",
        cents_per_minute=6_000,
        hold_days=0,
        # The microphone hears nothing but the sentence: there is no room around it to be judged.
        gates={"review_edge_over_seconds": 30.0},
    )
    sentences.import_prompts(made, SENTENCES)
    return made


@pytest.fixture
def workers(site: Server) -> Iterator[ClipsWorker]:
    with ClipsWorker(site, queues="clips,releases") as running:
        yield running


def test_signing_in_by_github(page: Page, campaign: Campaign, github: GitHub) -> None:
    github.has(OCTO)
    page.goto("/contribute")
    page.get_by_role("button", name="Continue with GitHub").click()
    page.get_by_role("button", name="Authorize octo").click()
    agree(page)
    assert in_thread(lambda: User.objects.get(name="Octo Example").memberships.count()) == 0


def test_from_login_to_release(
    page: Page,
    office: Page,
    campaign: Campaign,
    google: Google,
    workers: ClipsWorker,
    heard: Path,
    recordings: dict[str, Samples],
    tmp_path: Path,
) -> None:
    google.has(ADA)
    page.goto("/contribute")
    page.get_by_role("button", name="Continue with Google").click()
    page.get_by_role("button", name=ADA.email).click()
    agree(page)

    _record_all(page, heard, recordings)
    _review(office)
    page.goto("/contribute/clips")
    expect(page.locator(".clip", has_text=FAR_AWAY)).to_contain_text("Accepted")

    cents = _look_at_the_balance(page)
    _pay(office)
    page.goto("/contribute/earnings")
    expect(page.locator(".stat", has_text="so far")).to_contain_text(f"${cents / 100:.2f}")
    expect(page.get_by_role("table", name="Payouts")).to_contain_text("tr_0001")
    assert in_thread(ledger.flaws) == []

    _load(_release(office, campaign, tmp_path))


def _record_all(page: Page, heard: Path, recordings: dict[str, Samples]) -> None:
    """Ten sentences: one is rejected for its noise and recorded again, one goes to review."""
    record(page, heard, NOISY, with_noise(recordings[NOISY]))
    submit(page, NOISY, "Rejected")
    row = page.locator(".slot", has_text=NOISY)
    expect(row.locator(".slot-words")).not_to_be_empty()
    row.get_by_role("link", name="Look closer").click()
    expect(page.get_by_text("What was measured")).to_be_visible()
    page.get_by_role("link", name="Record it again").click()
    expect(page.locator("[data-sentence]")).to_have_text(NOISY)
    record(page, heard, NOISY, recordings[NOISY])
    page.keyboard.press("p")
    expect(page.locator("#take.playing")).to_be_visible()
    expect(page.locator("#take.playing")).to_have_count(0, timeout=30_000)
    submit(page, NOISY, "Accepted")

    record(page, heard, FAR_AWAY, recordings[FAR_AWAY] * 0.1, over_db=QUIET)
    submit(page, FAR_AWAY, "In review")
    for text in GOOD:
        record(page, heard, text, recordings[text])
        submit(page, text, "Accepted")


def _review(office: Page) -> None:
    """The one that waits, by one key."""
    office.goto("/admin/contributions/clip/review/queue/")
    expect(office.locator(".review-prompt")).to_have_text(FAR_AWAY)
    office.keyboard.press("a")
    expect(office.get_by_role("status")).to_contain_text(f"Accepted: “{FAR_AWAY}”")
    expect(office.get_by_role("heading", name="Nothing waits")).to_be_visible()


def _look_at_the_balance(page: Page) -> int:
    """What is held is released, as it is each hour, and seen; answers the cents."""
    in_thread(release_earnings)
    clips = in_thread(lambda: list(Clip.objects.filter(state=Clip.State.ACCEPTED)))
    assert len(clips) == len(SENTENCES)
    cents = sum(clip.earned_cents for clip in clips)
    assert cents == sum(round(clip.speech_ms / 10) for clip in clips)
    page.goto("/contribute/earnings")
    expect(page.locator(".stat", has_text="paid out from")).to_contain_text(f"${cents / 100:.2f}")
    page.get_by_role("link", name="Add an account for payouts").click()
    page.get_by_role("textbox", name="Account").fill(IBAN)
    page.get_by_role("button", name="Save account").click()
    return cents


def _pay(office: Page) -> None:
    """A batch that is proposed, approved, sent as a file and settled by the file that comes back."""
    office.goto("/admin/contributions/payoutbatch/")
    _press(office, "Propose a batch", "Propose batch")
    _press(office, "Approve", "Approve batch")
    _press(office, "Make payout file", "Make file")
    with office.expect_download() as download:
        office.get_by_role("link", name="Download").click()
    [line] = csv.DictReader(io.StringIO(download.value.path().read_text()))
    assert line["account"] == IBAN
    back = io.StringIO(newline="")
    writer = csv.DictWriter(back, payouts.HEAD)
    writer.writeheader()
    writer.writerow(line | {"state": "paid", "transfer_id": "tr_0001"})
    office.get_by_role("link", name="Enter results").click()
    file: Any = {"name": "back.csv", "mimeType": "text/csv", "buffer": back.getvalue().encode()}
    office.get_by_label("Payout file, filled in").set_input_files(file)
    office.get_by_role("button", name="Enter").click()
    expect(office.get_by_role("status")).to_contain_text("1 settled")


def _press(office: Page, button: str, confirmed_by: str) -> None:
    office.get_by_role("link", name=button).or_(office.get_by_role("button", name=button)).click()
    office.get_by_role("button", name=confirmed_by).click()


def _release(office: Page, campaign: Campaign, folder: Path) -> Path:
    """Made of all that was accepted; answers the folder with its files."""
    office.goto("/admin/contributions/release/add/")
    office.locator(".select2-selection").click()
    office.locator(".select2-search__field").last.fill("Conference")
    office.get_by_role("option", name=campaign.name).click()
    office.get_by_role("button", name="Save", exact=True).click()
    office.goto("/admin/contributions/release/")
    office.get_by_role("link", name=campaign.name).click()
    ready = office.get_by_text("Ready", exact=True)
    for _ in range(60):
        office.reload()
        if ready.count():
            break
        office.wait_for_timeout(1_000)
    expect(ready).to_be_visible()
    for link in office.locator("li a[href*='/media/']").all():
        url, name = link.get_attribute("href"), link.inner_text()
        assert url
        (folder / name).write_bytes(httpx.get(url).raise_for_status().content)
    return folder


def _load(folder: Path) -> None:
    """With the `datasets` library, and with what reads CSV and WAV."""
    for name, content in unpacked((folder / "audiofolder.tar").read_bytes()).items():
        path = folder / "audiofolder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    command = [sys.executable, "-m", "tests.contributions.releasing.loading", str(folder)]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    loaded = json.loads(ran.stdout.splitlines()[-1])
    assert set(loaded) == {"audiofolder", "parquet", "webdataset"}
    for splits in loaded.values():
        rows = [row for found in splits.values() for row in found["rows"]]
        assert sorted(row["text"] for row in rows) == sorted(SENTENCES)
        assert len({row["sha256"] for row in rows}) == len(SENTENCES)

    files = unpacked((folder / "ljspeech.tar").read_bytes())
    [metadata] = [content for name, content in files.items() if name.endswith("/metadata.csv")]
    said = dict(line.split("|")[:2] for line in metadata.decode().splitlines())
    spoken = in_thread(lambda: dict(ReleasedClip.objects.values_list("public_id", "clip__speech_ms")))
    assert sorted(said.values()) == sorted(SENTENCES)
    for name, content in files.items():
        if name.endswith(".wav"):
            pcm, rate = soundfile.read(io.BytesIO(content), dtype="int16")
            assert len(pcm) / rate > spoken[Path(name).stem] / 1000
            assert abs(pcm).max() > 0
