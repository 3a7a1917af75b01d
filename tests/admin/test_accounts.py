"""What staff do with people and organizations."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.keys import identity
from apps.keys.services import issue_key
from tests.admin.act import act
from tests.cast import PASSWORD, signed_in

ORGANIZATIONS = "/admin/accounts/organization/"
PEOPLE = "/admin/accounts/user/"


def members_form(organization: Organization, *roles: tuple[Membership, str]) -> dict[str, str]:
    form = {
        "name": organization.name,
        "history_days": str(organization.history_days),
        "memberships-TOTAL_FORMS": str(len(roles)),
        "memberships-INITIAL_FORMS": str(len(roles)),
    }
    for number, (membership, role) in enumerate(roles):
        prefix = f"memberships-{number}"
        form |= {
            f"{prefix}-id": str(membership.pk),
            f"{prefix}-organization": str(organization.pk),
            f"{prefix}-user": str(membership.user_id),
            f"{prefix}-role": role,
        }
    return form


def test_suspending_refuses_the_keys_and_is_noted(staff: Client, acme: Organization, alice: User) -> None:
    key = issue_key(organization=acme, name="Server", mode="live", scopes=["speech"], created_by=alice)
    before = acme.policy_version
    assert "1 suspended" in act(staff, ORGANIZATIONS, "suspend", acme)
    acme.refresh_from_db()
    assert acme.is_suspended
    assert acme.policy_version > before
    identity.cache.forget(key.key.prefix)
    assert LogEntry.objects.filter(object_id=str(acme.pk), change_message__contains="Suspended").exists()
    assert "1 active again" in act(staff, ORGANIZATIONS, "unsuspend", acme)
    acme.refresh_from_db()
    assert not acme.is_suspended


def test_an_organization_is_made_for_somebody(staff: Client, charlie: User) -> None:
    response = staff.post(
        f"{ORGANIZATIONS}add/", {"name": "Initech", "owner_email": "Charlie@globex.example"}
    )
    assert response.status_code == 302
    membership = Membership.objects.get(user=charlie)
    assert (membership.organization.name, membership.role) == ("Initech", "owner")
    refused = staff.post(f"{ORGANIZATIONS}add/", {"name": "Initech", "owner_email": "nobody@example.com"})
    assert "Nobody has an account with this address." in refused.content.decode()


def test_an_organization_keeps_an_owner(staff: Client, acme: Organization, alice: User, bob: User) -> None:
    page = f"{ORGANIZATIONS}{acme.pk}/change/"
    owner, member = Membership.objects.get(user=alice), Membership.objects.get(user=bob)
    refused = staff.post(page, members_form(acme, (owner, "member"), (member, "member")))
    assert "needs at least one owner" in refused.content.decode()
    assert staff.post(page, members_form(acme, (owner, "member"), (member, "owner"))).status_code == 302
    member.refresh_from_db()
    assert member.role == "owner"


def test_renaming(staff: Client, acme: Organization, alice: User) -> None:
    form = members_form(acme, (Membership.objects.get(user=alice), "owner")) | {"name": "  Acme   Voices "}
    assert staff.post(f"{ORGANIZATIONS}{acme.pk}/change/", form).status_code == 302
    acme.refresh_from_db()
    assert acme.name == "Acme Voices"


def test_days_of_history_hold_at_once(staff: Client, acme: Organization, alice: User) -> None:
    form = members_form(acme, (Membership.objects.get(user=alice), "owner"))
    page, before = f"{ORGANIZATIONS}{acme.pk}/change/", acme.policy_version
    assert staff.post(page, form | {"history_days": "30"}).status_code == 302
    acme.refresh_from_db()
    assert acme.history_days == 30
    assert acme.policy_version > before
    assert staff.post(page, form | {"history_days": "366"}).status_code == 200
    acme.refresh_from_db()
    assert acme.history_days == 30


def test_a_person_is_added_and_given_a_password(staff: Client) -> None:
    form = {"email": "Dora@Example.com", "name": "Dora", "password1": PASSWORD, "password2": PASSWORD}
    assert staff.post(f"{PEOPLE}add/", form).status_code == 302
    dora = User.objects.get(email="dora@example.com")
    assert dora.check_password(PASSWORD)
    twice = staff.post(f"{PEOPLE}add/", form)
    assert "Another account has this address." in twice.content.decode()
    new = {"password1": "another long one", "password2": "another long one"}
    assert staff.post(f"{PEOPLE}{dora.pk}/password/", new).status_code == 302
    dora.refresh_from_db()
    assert dora.check_password("another long one")


def test_deactivating_signs_out_but_never_oneself(staff: Client, sam: User, alice: User) -> None:
    browser = signed_in(alice)
    page = act(staff, PEOPLE, "deactivate", sam, alice)
    assert "You cannot deactivate yourself." in page
    assert browser.get("/settings").headers["Location"].startswith("/accounts/login/")
    sam.refresh_from_db()
    assert sam.is_active
    act(staff, PEOPLE, "activate", alice)
    alice.refresh_from_db()
    assert alice.is_active


def test_a_new_address_must_be_verified_anew(staff: Client, alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    form = {"email": "alice@elsewhere.example", "name": "Alice", "is_active": "on"}
    for inline in ("memberships", "emailaddress_set"):
        form |= {f"{inline}-TOTAL_FORMS": "0", f"{inline}-INITIAL_FORMS": "0"}
    assert staff.post(f"{PEOPLE}{alice.pk}/change/", form).status_code == 302
    (address,) = EmailAddress.objects.filter(user=alice)
    assert (address.email, address.verified, address.primary) == ("alice@elsewhere.example", False, True)
