"""allauth's hooks: what a new person of the console gets, and whose word opens an account."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.utils import filter_users_by_email
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render

from apps.accounts.models import User
from apps.accounts.openid.issuer import OpenIDError
from apps.accounts.services import create_organization

logger = structlog.get_logger(__name__)
# Pages that people use for themselves. Who signs up on the way there belongs nowhere yet; the console offers
# to make an organization when they come to it.
PERSONAL_PAGES = "/contribute"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    @transaction.atomic
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Signing up in the console makes an organization, owned by who signs up."""
        user = super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data.get("name", "")
        user.save()
        name = form.cleaned_data.get("organization")
        if name or not leads_to_personal_pages(request.POST.get("next") or request.GET.get("next")):
            create_organization(name=name or default_organization_name(user), owner=user)
        return user

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Of our own address: the Host header is the asker's, and the mail goes to somebody else."""
        url: str = super().get_reset_password_from_key_url(key)
        return settings.BASE_URL + urlsplit(url).path

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """One count for each account: allauth adds the Host header, whose port a guesser can vary at will."""
        return str(credentials.get("email", "")).lower()


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Sign-in with a provider.

    An address that the provider has not verified makes no account: its true owner, who resets the password
    later, would share the account with whoever named the address first.
    """

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Nobody new comes in without a verified address that is free; one address is taken over."""
        if sociallogin.is_existing or sociallogin.state.get("process") == "connect":
            return
        address = verified_address(sociallogin.email_addresses)
        if address is None:
            raise _refusal(request, sociallogin, "socialaccount/no_verified_email.html", status=403)
        if filter_users_by_email(address.email):
            raise _refusal(request, sociallogin, "socialaccount/account_exists.html", status=409)
        sociallogin.email_addresses = [address]
        sociallogin.user.email = address.email

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """People read that it did not work; why is for who set it up."""
        if isinstance(exception, OpenIDError):
            logger.warning("sign-in refused", provider=provider.id, reason=str(exception))

    def can_authenticate_by_email(self, login: Any, email: str) -> bool:
        """Whether the provider's word for an address opens the account that has verified the same one."""
        allowed: bool = super().can_authenticate_by_email(login, email)
        return allowed and is_authoritative(login.account, email) and EmailAddress.objects.is_verified(email)

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        user.name = (sociallogin.account.extra_data.get("name") or "")[:120]
        user.save(update_fields=["name"])
        if not leads_to_personal_pages(sociallogin.state.get("next")):
            create_organization(name=default_organization_name(user), owner=user)
        return user


def leads_to_personal_pages(url: str | None) -> bool:
    """Only a path of our own does: where else it leads is nothing to go by."""
    return url == PERSONAL_PAGES or (url or "").startswith((f"{PERSONAL_PAGES}/", f"{PERSONAL_PAGES}?"))


def default_organization_name(user: User) -> str:
    return f"{user.get_short_name().capitalize()}'s organization"


def verified_address(addresses: list[EmailAddress]) -> EmailAddress | None:
    """The address that a person's account is made with: the primary one where that is verified."""
    verified = [address for address in addresses if address.verified]
    address = min(verified, key=lambda address: not address.primary, default=None)
    if address is not None:
        address.email = address.email.lower()
    return address


def is_authoritative(account: Any, email: str) -> bool:
    """Whether the provider runs the mailbox, so that its word is as good as a code sent there.

    Google does for gmail.com and for a Workspace's own addresses (claim `hd`). For all others it has seen the
    mailbox once, years ago perhaps, and says to ask for another proof.
    """
    if account.provider != "google":
        return False
    return email.lower().endswith("@gmail.com") or bool(account.extra_data.get("hd"))


def _refusal(request: HttpRequest, sociallogin: Any, template: str, *, status: int) -> ImmediateHttpResponse:
    provider = sociallogin.provider.name
    return ImmediateHttpResponse(render(request, template, {"provider": provider}, status=status))
