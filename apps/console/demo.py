"""What a development machine starts with: an account, an organization, keys, a deployment, a campaign."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request

from allauth.account.models import EmailAddress
from django.conf import settings

from apps.accounts.models import Membership, Organization, User
from apps.accounts.services import create_organization
from apps.console import demo_campaign, demo_file
from apps.core.errors import Conflict, PermissionDenied, Unauthenticated
from apps.deployments.shared import ensure_shared_deployment
from apps.keys import identity
from apps.keys.models import ApiKey
from apps.keys.services import issue_key, revoke_key

ORGANIZATION = "Demo"
SCOPES = {
    ApiKey.Mode.LIVE: (ApiKey.Scope.SPEECH, ApiKey.Scope.MANAGE),
    ApiKey.Mode.TEST: (ApiKey.Scope.SPEECH,),
}
# Of keys whose secret was lost with the file; someone may have put one to use elsewhere.
KEPT_LOST_KEYS = 10
_WORKER_ANSWERS_SECONDS = 1.0


def seed() -> dict[str, str]:
    """Makes what is missing, writes demo.env and answers its values.

    Safe at every start, and twice at once. Raises `Conflict` in production.
    """
    if settings.IS_PRODUCTION:
        raise Conflict("The demo's account and keys have no place in production.")
    with demo_file.locked():
        kept = demo_file.read()
        email = settings.ADMIN_EMAIL
        password = settings.ADMIN_PASSWORD or kept.get("ADMIN_PASSWORD") or secrets.token_urlsafe(12)
        admin = _admin(email, password)
        organization = _organization(admin)
        ensure_shared_deployment()
        demo_campaign.ensure(organization)
        values = {
            "BASE_URL": settings.BASE_URL,
            "ADMIN_EMAIL": email,
            "ADMIN_PASSWORD": password,
            "API_KEY_LIVE": _secret(organization, admin, ApiKey.Mode.LIVE, kept.get("API_KEY_LIVE")),
            "API_KEY_TEST": _secret(organization, admin, ApiKey.Mode.TEST, kept.get("API_KEY_TEST")),
            demo_file.WORKER_URL: _running_worker_url(),
        }
        demo_file.write(values)
    return values


def _admin(email: str, password: str) -> User:
    """A superuser who can sign in with exactly this password and needs no mail for it."""
    admin = User.objects.filter(email__iexact=email).first()
    if admin is None:
        admin = User.objects.create_superuser(email, password, name="Admin")
    else:
        admin.is_active = admin.is_staff = admin.is_superuser = True
        if not admin.check_password(password):
            admin.set_password(password)
        admin.save()
    EmailAddress.objects.update_or_create(
        user=admin, email=admin.email, defaults={"verified": True, "primary": True}
    )
    return admin


def _organization(admin: User) -> Organization:
    """The oldest that the admin owns, whatever it is called by now."""
    owned = Membership.objects.filter(user=admin, role=Membership.Role.OWNER).order_by("created_at").first()
    return owned.organization if owned else create_organization(name=ORGANIZATION, owner=admin)


def _secret(organization: Organization, admin: User, mode: ApiKey.Mode, kept: str | None) -> str:
    """The kept secret while it still opens the door, else that of a new key."""
    if kept and _works(kept, mode):
        return kept
    name = f"Demo {mode}"
    lost = ApiKey.objects.for_organization(organization).usable().filter(name=name, mode=mode)
    for key in lost.order_by("-id")[KEPT_LOST_KEYS:]:
        revoke_key(key=key, by=admin)
    return issue_key(
        organization=organization, name=name, mode=mode, scopes=SCOPES[mode], created_by=admin
    ).secret


def _works(secret: str, mode: ApiKey.Mode) -> bool:
    try:
        found = identity.authenticate(secret)
    except Unauthenticated:
        return False
    except PermissionDenied:
        return True  # suspended: another key would not open the door either
    return found.mode == mode and found.scopes >= set(SCOPES[mode])


def _running_worker_url() -> str:
    """At a start the database still names the worker of the last run."""
    url = demo_file.known_worker_url()
    if not url:
        return ""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=_WORKER_ANSWERS_SECONDS):  # noqa: S310
            return url
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return ""
