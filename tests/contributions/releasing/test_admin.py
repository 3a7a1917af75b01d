"""Releases in admin: made again only where they failed."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.contributions.models import Campaign, Release
from tests.cast import signed_in
from tests.contributions.releasing import data

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(campaign: Campaign, six: data.Speakers) -> Release:
    return data.made(campaign)


def shown(client: Client, release: Release) -> str:
    return client.get(f"/admin/contributions/release/{release.pk}/change/").content.decode()


def test_one_that_failed_is_made_again(staff: User, release: Release) -> None:
    client = signed_in(staff)
    assert "Make again" not in shown(client, release)
    Release.objects.update(state="failed", problem="The storage was full.")
    assert "Make again" in shown(client, release)
    path = f"/admin/contributions/release/{release.pk}/make_again/"
    assert client.post(path, {"_form_submitted": "True"}).status_code == 302
    assert data.finished(release).state == "ready"


def test_one_that_did_not_is_not(staff: User, release: Release) -> None:
    """The button is gone, and who asks all the same is told why."""
    path = f"/admin/contributions/release/{release.pk}/make_again/"
    answer = signed_in(staff).post(path, {"_form_submitted": "True"}, follow=True)
    assert "did not fail" in answer.content.decode()
    release.refresh_from_db()
    assert release.state == "ready"
