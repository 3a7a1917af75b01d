"""The cast of tests that need no server: alice owns acme, bob is a member there, charlie owns globex.

The fixtures roll back with their test; a `conftest.py` imports those it wants.
"""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.accounts.services import create_organization

__all__ = ["PASSWORD", "acme", "alice", "bob", "charlie", "globex", "signed_in"]

PASSWORD = "correct horse battery"


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice@acme.example", PASSWORD, name="Alice")


@pytest.fixture
def acme(alice: User) -> Organization:
    return create_organization(name="Acme", owner=alice)


@pytest.fixture
def bob(acme: Organization) -> User:
    user = User.objects.create_user("bob@acme.example", PASSWORD, name="Bob")
    Membership.objects.create(organization=acme, user=user, role=Membership.Role.MEMBER)
    return user


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie@globex.example", PASSWORD, name="Charlie")


@pytest.fixture
def globex(charlie: User) -> Organization:
    return create_organization(name="Globex", owner=charlie)


def signed_in(user: User, *, enforce_csrf_checks: bool = False) -> Client:
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user)
    return client
