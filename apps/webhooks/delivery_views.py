"""The page of one delivery: what was sent, and how each attempt went."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.tenancy import OrganizationRequest, manager_required, organization_required
from apps.core.errors import AppError, NotFound
from apps.webhooks import listing, recovery, words
from apps.webhooks.models import Delivery

# A longer answer is folded away.
LONG_CHARACTERS: Final = 1_000
# How often the page looks: where something is about to happen, and where that is far off.
SOON, SOON_MS, LATER_MS = timedelta(minutes=1), 2_000, 15_000


@require_safe
@organization_required
def delivery_detail(request: OrganizationRequest, delivery_id: UUID) -> HttpResponse:
    delivery = _delivery_or_404(request, delivery_id)
    context = {
        "delivery": delivery,
        "event": delivery.event,
        "endpoint": delivery.endpoint,
        "name": words.name_of(delivery.endpoint),
        "problem": words.problem(delivery.last_problem),
        "pretty": _pretty(delivery.event.body),
        "attempts": listing.attempts(delivery)[::-1],
        "long_characters": LONG_CHARACTERS,
        "refresh_ms": _refresh_ms(delivery),
    }
    return render(request, "webhooks/delivery.html", context)


@require_POST
@manager_required
def delivery_act(request: OrganizationRequest, delivery_id: UUID, verb: str) -> HttpResponse:
    delivery = _delivery_or_404(request, delivery_id)
    act, said = _ACTIONS[verb]
    try:
        act(delivery)
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect("webhook_delivery", delivery_id=delivery.pk)


_ACTIONS: Final[Mapping[str, tuple[Callable[[Delivery], None], str]]] = {
    "resend": (recovery.resend, "It is sent again, now."),
    "cancel": (recovery.cancel, "It is cancelled: no further attempt is made."),
}


def _delivery_or_404(request: OrganizationRequest, delivery_id: UUID) -> Delivery:
    try:
        return recovery.delivery_of(request.organization, delivery_id)
    except NotFound as error:
        raise Http404 from error


def _refresh_ms(delivery: Delivery) -> int:
    """0 where nothing happens by itself any more."""
    if not delivery.is_open:
        return 0
    return SOON_MS if delivery.due_at < timezone.now() + SOON else LATER_MS


def _pretty(body: str) -> str:
    """The event's body with line breaks; as it is where it cannot be read."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
