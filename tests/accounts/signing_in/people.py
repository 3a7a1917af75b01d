"""People who made their account with a password."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from apps.accounts.models import User
from apps.accounts.services import create_organization
from tests.cast import PASSWORD


def make_user(email: str, *, is_verified: bool = True) -> User:
    user = User.objects.create_user(email, PASSWORD, name="Password")
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=is_verified)
    create_organization(name="Before", owner=user)
    return user
