"""Voice collection as a whole: Google's login, consent, ten clips of which one is damaged and recorded anew,
a review, the balance, the payout, and a release whose files load."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import Membership, Organization, User
from apps.contributions import deciding, ledger, payouts, people, sentences
from apps.contributions.models import Campaign, Clip, Contributor, Release
from apps.contributions.releasing import keeping, services
from tests.contributions import collecting
from tests.e2e.clips_worker import ClipsWorker
from tests.e2e.heard import Samples, with_noise
from tests.e2e.test_contributing import heard, in_thread, record, speaking_browser, submit
from tests.fakes.google import Google, GoogleAccount
from tests.platform import CHECKOUT, Server, test_database_url, until

__all__ = ["heard", "speaking_browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

ADA = GoogleAccount("1001", "ada@gmail.com", "Ada Example")
SPOKEN = (
    "The river was high after three days of rain.",
    "She left her umbrella in the kitchen.",
    "Nobody noticed the small blue door.",
    "We are going to the market on Friday.",
    "The train was late because of the snow.",
    "He bought two apples and a loaf of bread.",
    "The children played in the garden all day.",
    "There is a light at the end of the road.",
    "My brother plays the piano every evening.",
    "The old house stands on top of the hill.",
)
LOADS = """
import hashlib, json, os, sys
os.environ["HF_HOME"] = sys.argv[1] + "/cache"
os.environ["HF_HUB_OFFLINE"] = "1"
from datasets import Audio, load_dataset
told = {}
for name, given in json.loads(sys.argv[2]).items():
    rows = load_dataset(name, **given)["train"].cast_column("audio", Audio(decode=False))
    told[name] = sorted(row["text"] for row in rows)
print(json.dumps(told))
"""


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as running:
        running.has(ADA)
        yield running


@pytest.fixture
def site(
    google: Google, transactional_db: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    running = Server(
        tmp_path_factory.mktemp("collection"),
        test_database_url(),
        GOOGLE_URL=google.url,
        GOOGLE_CLIENT_ID=google.client_id,
        GOOGLE_CLIENT_SECRET=google.client_secret,
    )
    google.redirect_uri = f"{running.url}/accounts/google/login/callback/"
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture
def page(speaking_browser: Browser, site: Server) -> Iterator[Page]:
    context = speaking_browser.new_context(base_url=site.url, viewport={"width": 390, "height": 844})
    context.grant_permissions(["microphone"])
    yield context.new_page()
    context.close()


@pytest.fixture
def campaign(transactional_db: None) -> Campaign:
    """Pays a dollar a second, at once: ten sentences are more than the least that is paid out."""
    operator = Organization.objects.create(name="Operator", slug="operator")
    made = collecting.campaign(
        operator,
        prompts=0,
        name="Everyday sentences",
        gates={"review_edge_over_seconds": 30.0},
        cents_per_minute=6_000,
        hold_days=0,
    )
    sentences.import_prompts(made, SPOKEN)
    return made


@pytest.fixture
def staff(transactional_db: None) -> User:
    return User.objects.create_superuser("staff@platform.example", "correct horse battery")


def in_some_noise(speech: Samples) -> Samples:
    """Of a fan: a person should listen to it."""
    noise = with_noise(speech) - speech
    return (speech + noise / 3).astype("float32")


def test_from_googles_login_to_a_release_that_loads(
    page: Page, site: Server, campaign: Campaign, staff: User, heard: Path, tmp_path: Path
) -> None:
    page.goto("/contribute")
    page.get_by_role("button", name="Continue with Google").click()
    page.get_by_role("button", name=ADA.email).click()
    expect(page.get_by_role("heading", name="Lend your voice")).to_be_visible()
    assert not in_thread(lambda: Membership.objects.exists())
    page.get_by_role("link", name="Begin").click()
    for box in ("train speech models", "publish recordings in a data set"):
        page.get_by_label(f"I agree to this text: {box}").check()
    page.get_by_label("I am 18 or older").check()
    page.get_by_role("button", name="Agree and continue").click()
    with ClipsWorker(site, queues="clips,releases"):
        _ten_clips(page, heard)
        _review(staff)
        _is_paid(page, staff)
        release = _release(campaign, staff)
    _loads(site, release, tmp_path)


def _ten_clips(page: Page, heard: Path) -> None:
    """The third is drowned by noise, and is recorded again; the fifth has some."""
    for number in range(len(SPOKEN)):
        if number == 2:
            text = record(page, heard, says=with_noise)
            submit(page, text, "Rejected")
            row = page.locator(".slot", has_text=text)
            row.get_by_role("link", name="Look closer").click()
            page.get_by_role("link", name="Record it again").click()
            expect(page.locator("[data-sentence]")).to_have_text(text)
            record(page, heard)
            submit(page, text, "Accepted")
        elif number == 4:
            submit(page, record(page, heard, says=in_some_noise), "In review")
        else:
            submit(page, record(page, heard), "")
        if number in (4,):  # a set is five
            page.goto(page.url)
    until(
        lambda: not in_thread(lambda: Clip.objects.filter(state__in=["uploaded", "checking"]).exists()),
        seconds=60,
        what="all to be checked",
    )
    assert in_thread(lambda: Clip.objects.exclude(state="rejected").count()) == len(SPOKEN)
    assert in_thread(lambda: Clip.objects.filter(state="rejected").count()) == 1


def _review(staff: User) -> None:
    def decide() -> None:
        for clip in Clip.objects.filter(state="in_review"):
            deciding.decide(clip, to=Clip.State.ACCEPTED, source="staff", by=staff)

    in_thread(decide)


def _is_paid(page: Page, staff: User) -> None:
    def pay() -> tuple[int, int]:
        ledger.release_due()
        contributor = Contributor.objects.get()
        people.set_payout_account(contributor, "AT61 1904 3002 3457 3201")
        batch = payouts.propose(by=staff)
        assert batch is not None
        payouts.approve(batch, by=staff)
        payouts.CsvPayouts().send(batch)
        filled = payouts.payout_file(batch).decode().splitlines()
        row = dict(zip(*csv.reader(filled), strict=True)) | {"transfer_id": "tr_1", "state": "paid"}
        out = io.StringIO()
        writer = csv.DictWriter(out, row)
        writer.writeheader()
        writer.writerow(row)
        payouts.settle(batch, payouts.read_file(out.getvalue().encode()))
        assert ledger.flaws() == []
        earned = sum(clip.earned_cents for clip in Clip.objects.filter(state="accepted"))
        return earned, ledger.balance(contributor).paid

    earned, paid = in_thread(pay)
    assert earned == paid >= payouts.MINIMUM_CENTS
    page.goto("/contribute/earnings")
    expect(page.locator(".stat", has_text="Paid")).to_contain_text(f"${paid / 100:.2f}")


def _release(campaign: Campaign, staff: User) -> Release:
    made: Release = in_thread(lambda: services.freeze(campaign=campaign, by=staff))

    def state() -> str:
        made.refresh_from_db()
        return str(made.state)

    until(lambda: in_thread(state) in ("ready", "failed"), seconds=120, what="the release")
    assert made.state == "ready", made.problem
    return made


def _loads(site: Server, release: Release, folder: Path) -> None:
    def file(name: str) -> Path:
        return site.folder / "media" / keeping.key_of(release, name)

    names = [told["name"] for told in release.files]
    parquet = [str(file(name)) for name in names if name.startswith("parquet-train")]
    with tarfile.open(file("audiofolder.tar")) as tar:
        tar.extractall(folder, filter="data")
    [unpacked] = [path for path in folder.iterdir() if path.is_dir()]
    wanted = json.dumps(
        {"audiofolder": {"data_dir": str(unpacked)}, "parquet": {"data_files": {"train": parquet}}}
    )
    command = [sys.executable, "-c", LOADS, str(folder), wanted]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    loaded: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert loaded == {"audiofolder": sorted(SPOKEN), "parquet": sorted(SPOKEN)}
    with tarfile.open(file("ljspeech.tar")) as tar:
        waves = [member for member in tar if member.name.endswith(".wav")]
        for member in waves:
            content = tar.extractfile(member)
            assert content is not None
            assert soundfile.info(io.BytesIO(content.read())).duration > 1
    assert len(waves) == len(SPOKEN)
