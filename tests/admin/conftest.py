from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.cast import acme, alice, bob, charlie, globex, signed_in

__all__ = ["acme", "alice", "bob", "charlie", "globex"]


@pytest.fixture(autouse=True)
def static_root(settings: Any) -> None:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is missing


@pytest.fixture
def sam(db: None) -> User:
    """A superuser."""
    return User.objects.create_superuser("sam@staff.example", name="Sam")


@pytest.fixture
def staff(sam: User) -> Client:
    return signed_in(sam)


@pytest.fixture
def clerk(db: None) -> Client:
    """One of the staff who was given no rights yet."""
    return signed_in(User.objects.create_user("clerk@staff.example", is_staff=True))
