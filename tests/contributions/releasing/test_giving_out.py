"""Links to releases: for the campaign's organization and for staff, and for nobody once somebody withdrew."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Organization, User
from apps.contributions import consenting, withdrawing
from apps.contributions.models import Campaign, Release
from apps.contributions.releasing import keeping, services, tasks
from apps.core import media
from apps.core.errors import Conflict
from apps.keys.services import issue_key
from tests.cast import signed_in
from tests.contributions.releasing import data
from tests.platform import CHECKOUT

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(campaign: Campaign, six: data.Speakers) -> Release:
    return data.made(campaign)


def key_of(organization: Organization, by: User, *scopes: str) -> dict[str, str]:
    issued = issue_key(
        organization=organization, name="k", mode="live", scopes=list(scopes or ["manage"]), created_by=by
    )
    return {"X-API-Key": issued.secret}


def path(campaign: Campaign, rest: str = "") -> str:
    return f"/api/contributions/organization/campaigns/{campaign.pk}/releases{rest}"


def test_an_organization_fetches_its_releases(
    client: Client, release: Release, campaign: Campaign, acme: Organization, alice: User
) -> None:
    key = key_of(acme, alice)
    listed = client.get(path(campaign), headers=key).json()["results"]
    assert [(row["version"], row["state"], row["clips"]) for row in listed] == [(1, "ready", 12)]
    assert listed[0]["files"] == release.files
    assert "seed" not in listed[0]
    answer = client.get(path(campaign, "/1/links"), headers=key)
    assert answer["Cache-Control"] == "no-store"
    for link in answer.json():
        fetched = client.get(urlsplit(link["url"]).path)
        content = b"".join(fetched.streaming_content)  # type: ignore[attr-defined]
        assert hashlib.sha256(content).hexdigest() == link["sha256"]
        assert f'filename="{link["name"]}"' in fetched["Content-Disposition"]


def test_nobody_else_does(
    client: Client, release: Release, campaign: Campaign, acme: Organization, globex: Organization
) -> None:
    for rest in ("", "/1/links"):
        assert client.get(path(campaign, rest)).status_code == 401
        other = key_of(globex, owner_of(globex))
        assert client.get(path(campaign, rest), headers=other).status_code == 404
        speech = key_of(acme, owner_of(acme), "speech")
        assert client.get(path(campaign, rest), headers=speech).status_code == 403
    manage = key_of(acme, owner_of(acme))
    assert client.get(path(campaign, "/2/links"), headers=manage).status_code == 404


def owner_of(organization: Organization) -> User:
    found: User = organization.memberships.first().user  # type: ignore[union-attr]
    return found


def test_the_web_processes_do_without_pyarrow() -> None:
    """Their image has none."""
    modules = ("services", "keeping", "api", "admin", "tasks")
    names = ", ".join(f"apps.contributions.releasing.{name}" for name in modules)
    code = f"import sys; sys.modules['pyarrow'] = None; import django; django.setup(); import {names}"
    told = {**os.environ, "DJANGO_SETTINGS_MODULE": "voiceflow.settings"}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=CHECKOUT,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_what_is_not_ready_has_no_links(
    client: Client, campaign: Campaign, six: data.Speakers, acme: Organization, alice: User
) -> None:
    services.freeze(campaign=campaign, by=None)
    answer = client.get(path(campaign, "/1/links"), headers=key_of(acme, alice))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "release_not_ready")


def test_a_withdrawal_ends_it(campaign: Campaign, six: data.Speakers, release: Release) -> None:
    """Links end with the transaction, files and what was said of speakers with what carries it out."""
    links = services.links_of(release)
    pseudonym = data.pseudonym_of(release, six["ada"])
    withdrawal = withdrawing.withdraw(consenting.in_force(six["ada"], campaign)["train"])
    with pytest.raises(Conflict) as caught:
        services.links_of(release)
    assert caught.value.code == "release_withdrawn"
    assert pseudonym in release.speakers
    withdrawing.carry_out(withdrawal.pk)
    release.refresh_from_db()
    assert list(media.listed(keeping.folder_of(release))) == []
    assert release.files_gone_at is not None
    assert pseudonym not in release.speakers
    assert len(release.speakers) == 5
    assert Client().get(urlsplit(links[0].url).path).status_code == 404


def test_an_optional_consent_leaves_it(campaign: Campaign, six: data.Speakers, release: Release) -> None:
    data.withdraw(six["ada"], campaign, "voice_cloning")
    assert len(services.links_of(release)) == len(release.files)


def test_the_schedule_sees_to_files_that_were_left(
    campaign: Campaign, six: data.Speakers, release: Release
) -> None:
    withdrawing.withdraw(consenting.in_force(six["ada"], campaign)["train"])
    assert keeping.outdated() == [release.pk]
    tasks.remove_files(str(release.pk))
    assert keeping.outdated() == []
    assert list(media.listed(keeping.folder_of(release))) == []


def test_staff_make_one_and_fetch_it(campaign: Campaign, six: data.Speakers, staff: User) -> None:
    admin = signed_in(staff)
    form = {"campaign": str(campaign.pk), "notes": "For the fair."}
    answer = admin.post(reverse("admin:contributions_release_add"), form)
    release = Release.objects.get()
    assert answer.status_code == 302, answer.content.decode()
    assert (release.notes, release.created_by) == ("For the fair.", staff)
    again = admin.post(reverse("admin:contributions_release_add"), form)
    assert "A release of this campaign is being made." in again.content.decode()
    page = reverse("admin:contributions_release_change", args=[release.pk])
    assert "This release is not ready." in admin.get(page).content.decode()
    data.finished(release)
    shown = admin.get(page).content.decode()
    for file in release.files:
        assert file["sha256"] in shown
    assert "10 of 10 files and papers" in shown
    assert release.seed not in shown
    assert admin.get(reverse("admin:contributions_release_changelist")).status_code == 200
