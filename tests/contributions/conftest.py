from __future__ import annotations

import pytest

from apps.accounts.models import Organization, User
from apps.contributions.models import Campaign, Contributor
from tests.cast import acme, alice, bob, charlie, globex
from tests.contributions import collecting
from tests.voices.conftest import media_folder

__all__ = ["acme", "alice", "bob", "charlie", "globex", "media_folder"]


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("staff@platform.example", "correct horse battery")


@pytest.fixture
def campaign(acme: Organization) -> Campaign:
    return collecting.campaign(acme)


@pytest.fixture
def dora(campaign: Campaign) -> Contributor:
    """Has agreed to what the campaign needs."""
    contributor = collecting.speaker("dora")
    collecting.agree(contributor, campaign)
    return contributor


@pytest.fixture
def emil(campaign: Campaign) -> Contributor:
    contributor = collecting.speaker("emil")
    collecting.agree(contributor, campaign)
    return contributor
