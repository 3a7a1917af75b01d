"""Adding, changing, rotating, disabling and removing endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.core.errors import Conflict, InvalidRequest, NotFound
from apps.core.outbound.addresses import check_url
from apps.webhooks import catalogue, lanes, outbox, own_headers, signing
from apps.webhooks.models import Endpoint, EndpointSecret
from apps.webhooks.models.endpoints import MAX_DESCRIPTION, MAX_URL

MAX_ENDPOINTS: Final = 20
MAX_RATE_PER_MINUTE: Final = 60_000
DEFAULT_OVERLAP_SECONDS: Final = 24 * 3600
MAX_OVERLAP_SECONDS: Final = 7 * 24 * 3600
# A request carries a signature for each.
MAX_SECRETS: Final = 4


@dataclass(frozen=True)
class IssuedSecret:
    """An endpoint and its newest secret, which nobody is shown again."""

    endpoint: Endpoint
    secret: str


@transaction.atomic
def create_endpoint(
    *,
    organization: Organization,
    url: str,
    created_by: User | None,
    description: str = "",
    events: Iterable[str] = (),
    headers: Mapping[str, Any] | None = None,
    rate_limit_per_minute: int | None = None,
) -> IssuedSecret:
    """Raises `InvalidRequest`, and `Conflict` where the organization has as many as it may."""
    endpoint = Endpoint(
        organization=organization,
        created_by=created_by,
        url=_clean_url(url),
        description=_clean_description(description),
        events=catalogue.clean_filter(events),
        rate_limit_per_minute=_clean_rate(rate_limit_per_minute),
    )
    endpoint.keep_headers(own_headers.clean(headers or {}))
    _require_room(organization)
    endpoint.save(force_insert=True)
    lanes.make(endpoint)
    return IssuedSecret(endpoint, _issue_secret(endpoint))


@transaction.atomic
def change_endpoint(
    *,
    endpoint: Endpoint,
    url: str | None = None,
    description: str | None = None,
    events: Iterable[str] | None = None,
    headers: Mapping[str, Any] | None = None,
    **limits: int | None,
) -> None:
    """Changes what is given, for what is sent from now on; `rate_limit_per_minute=None` lifts the limit.

    Raises `InvalidRequest`, also where it moves to another host and has headers that are not given again:
    they hold secrets for the one before. `NotFound` where it was deleted meanwhile.
    """
    changed = _locked(endpoint)
    if url is not None:
        url = _clean_url(url)
        if headers is None and changed.headers and is_elsewhere(changed, url):
            raise InvalidRequest(
                "The endpoint moves to another host: give its headers again, or none.", param="headers"
            )
        changed.url = url
    if description is not None:
        changed.description = _clean_description(description)
    if events is not None:
        changed.events = catalogue.clean_filter(events)
    if headers is not None:
        changed.keep_headers(own_headers.clean(headers))
    if "rate_limit_per_minute" in limits:
        changed.rate_limit_per_minute = _clean_rate(limits["rate_limit_per_minute"])
        changed.send_from = None
    changed.save(
        update_fields=[
            *("url", "description", "events", "headers", "rate_limit_per_minute", "send_from", "updated_at")
        ]
    )
    endpoint.refresh_from_db()


@transaction.atomic
def rotate_secret(*, endpoint: Endpoint, overlap_seconds: int = DEFAULT_OVERLAP_SECONDS) -> IssuedSecret:
    """A new secret; until the overlap is over, what is sent is signed with the old one as well.

    Raises `InvalidRequest`, and `NotFound` where it was deleted meanwhile.
    """
    if not 0 <= overlap_seconds <= MAX_OVERLAP_SECONDS:
        raise InvalidRequest("The overlap must be between 0 seconds and 7 days.", param="overlap_seconds")
    _locked(endpoint)
    now = timezone.now()
    ends = now + timedelta(seconds=overlap_seconds)
    secrets = EndpointSecret.objects.filter(endpoint=endpoint)
    secrets.filter(expires_at__lte=now).delete()
    secrets.filter(expires_at__gt=ends).update(expires_at=ends)
    secrets.filter(expires_at=None).update(expires_at=ends)
    if not overlap_seconds:
        secrets.all().delete()
    kept = secrets.order_by("-id").values_list("pk", flat=True)[: MAX_SECRETS - 1]
    secrets.exclude(pk__in=list(kept)).delete()
    return IssuedSecret(endpoint, _issue_secret(endpoint))


@transaction.atomic
def enable_endpoint(*, endpoint: Endpoint) -> None:
    """What waited for it goes out at once. Enabling twice is no error."""
    _locked(endpoint)
    changed = (
        Endpoint.objects.filter(pk=endpoint.pk)
        .exclude(disabled_at=None)
        .update(
            disabled_at=None,
            disabled_because="",
            mail_due=False,
            failing_since=None,
            updated_at=timezone.now(),
        )
    )
    if changed:
        outbox.wake_after_commit([endpoint.pk])
    endpoint.refresh_from_db()


@transaction.atomic
def disable_endpoint(*, endpoint: Endpoint, because: Endpoint.Disabled = Endpoint.Disabled.BY_PERSON) -> None:
    """By a person: nothing new is sent there; what waits is kept. Disabling twice changes nothing."""
    _locked(endpoint)
    Endpoint.objects.filter(pk=endpoint.pk, disabled_at=None).update(
        disabled_at=timezone.now(), disabled_because=because, updated_at=timezone.now()
    )
    endpoint.refresh_from_db()


@transaction.atomic
def delete_endpoint(*, endpoint: Endpoint) -> None:
    """Nothing is sent there any more; its secrets and headers are gone, its log goes with its time."""
    deleted = (
        Endpoint.objects.kept()
        .filter(pk=endpoint.pk)
        .update(deleted_at=timezone.now(), headers="", updated_at=timezone.now())
    )
    if not deleted:
        raise _gone()
    EndpointSecret.objects.filter(endpoint=endpoint).delete()


def endpoint_of(organization: Organization, endpoint_id: UUID | str) -> Endpoint:
    """Raises `NotFound`, also for what is another organization's."""
    found: Endpoint | None = (
        Endpoint.objects.for_organization(organization).kept().filter(pk=endpoint_id).first()
    )
    if found is None:
        raise _gone()
    return found


def is_elsewhere(endpoint: Endpoint, url: str) -> bool:
    """Whether that URL has another scheme, host or port."""
    return urlsplit(url)[:2] != urlsplit(endpoint.url)[:2]


def _locked(endpoint: Endpoint) -> Endpoint:
    found: Endpoint | None = Endpoint.objects.select_for_update().kept().filter(pk=endpoint.pk).first()
    if found is None:
        raise _gone()
    return found


def _gone() -> NotFound:
    return NotFound("There is no such endpoint.")


def _require_room(organization: Organization) -> None:
    """The row lock makes the count true where two requests create at once."""
    Organization.objects.select_for_update(no_key=True).only("pk").get(pk=organization.pk)
    if Endpoint.objects.for_organization(organization).kept().count() >= MAX_ENDPOINTS:
        raise Conflict(f"An organization can have {MAX_ENDPOINTS} endpoints. Delete one first.")


def _issue_secret(endpoint: Endpoint) -> str:
    secret = signing.new_secret()
    EndpointSecret.objects.create(endpoint=endpoint, secret=secret)
    return secret


def _clean_url(url: str) -> str:
    url = check_url(url)
    if len(url) > MAX_URL:
        raise InvalidRequest(f"A URL has at most {MAX_URL} characters.", param="url")
    return url


def _clean_description(text: str) -> str:
    text = " ".join(text.split())
    if len(text) > MAX_DESCRIPTION or not text.isprintable():
        raise InvalidRequest(f"A description has at most {MAX_DESCRIPTION} characters.", param="description")
    return text


def _clean_rate(per_minute: int | None) -> int | None:
    if per_minute is not None and not 1 <= per_minute <= MAX_RATE_PER_MINUTE:
        raise InvalidRequest(
            f"The rate limit is 1 to {MAX_RATE_PER_MINUTE:,} attempts a minute.",
            param="rate_limit_per_minute",
        )
    return per_minute
