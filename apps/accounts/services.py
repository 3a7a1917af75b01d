"""What spans people and organizations."""

from __future__ import annotations

import secrets
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import F
from django.utils.text import slugify

from apps.accounts import policy
from apps.accounts.models import MAX_HISTORY_DAYS, Membership, Organization, User
from apps.core.errors import InvalidRequest


@transaction.atomic
def create_organization(*, name: str, owner: User) -> Organization:
    name = _clean_name(name)
    slug = slugify(name)[:120] or "organization"
    # Finds out by trying: two that ask at once for one slug both get an organization.
    organization, is_new = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
    if not is_new:
        organization = Organization.objects.create(name=name, slug=f"{slug}-{secrets.token_hex(4)}")
    Membership.objects.create(organization=organization, user=owner, role=Membership.Role.OWNER)
    return organization


def managers_addresses(organization: Organization) -> list[str]:
    """Where mails about the organization go: to its owners and admins, without those who were suspended."""
    managers = Membership.objects.filter(
        organization=organization,
        role__in=[Membership.Role.OWNER, Membership.Role.ADMIN],
        user__is_active=True,
    )
    return list(managers.values_list("user__email", flat=True))


def rename_user(*, user: User, name: str) -> None:
    user.name = " ".join(name.split())[:120]
    user.save(update_fields=["name"])


def set_active(*, user: User, active: bool) -> None:
    """Who is not active cannot sign in, and is signed out with the next request."""
    user.is_active = active
    user.save(update_fields=["is_active"])


@transaction.atomic
def replace_email_address(*, user: User) -> None:
    """After a change of `user.email`: the new address is the only one, to be verified at the next sign-in."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email.lower(), defaults={"primary": True})


def rename_organization(*, organization: Organization, name: str) -> None:
    organization.name = _clean_name(name)
    organization.save(update_fields=["name", "updated_at"])


@transaction.atomic
def set_history_days(*, organization: Organization, days: int) -> None:
    """Text and audio of requests are kept for so long from now on; 0 keeps none, and removes nothing.

    Fewer days hold for what is there already, more only for what comes.
    """
    if not 0 <= days <= MAX_HISTORY_DAYS:
        raise InvalidRequest(f"Requests are kept for 0 to {MAX_HISTORY_DAYS} days.", param="history_days")
    organization.history_days = days
    organization.save(update_fields=["history_days", "updated_at"])
    bump_policy(organization_id=organization.id)


@transaction.atomic
def set_suspended(*, organization: Organization, suspended: bool) -> None:
    """Suspending refuses the organization's keys at once; lifting it lets the same keys work again."""
    organization.is_suspended = suspended
    organization.save(update_fields=["is_suspended", "updated_at"])
    bump_policy(organization_id=organization.id)


@transaction.atomic
def bump_policy(*, organization_id: UUID) -> None:
    """Makes every cached identity of the organization stale, everywhere, when this transaction commits."""
    Organization.objects.filter(pk=organization_id).update(policy_version=F("policy_version") + 1)
    version = Organization.objects.values_list("policy_version", flat=True).get(pk=organization_id)
    transaction.on_commit(lambda: policy.publish(organization_id, version))


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise InvalidRequest("An organization needs a name.", param="name")
    return name[:120]
