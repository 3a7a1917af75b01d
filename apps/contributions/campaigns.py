"""What staff do to a campaign: it opens, pauses and closes, and people are invited to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.contributions import consenting, gates, invitation_mails
from apps.contributions.models import Campaign, CampaignInvitation, Purpose
from apps.core import notices
from apps.core.errors import Conflict, InvalidRequest

JUDGE_AGAIN: Final = "apps.contributions.tasks.judge_again"
JUDGE_AGAIN_EXPIRES_SECONDS: Final = 600
MAX_INVITED: Final = 5_000
_S = Campaign.State


@dataclass
class Invited:
    """`refused` are words that are no address."""

    added: int = 0
    repeated: int = 0
    refused: list[str] = field(default_factory=list)


def open_campaign(campaign: Campaign) -> None:
    """From now on people record in it, within its dates. Raises `Conflict` that says what is missing."""
    missing = what_is_missing(campaign)
    if missing:
        raise Conflict(" ".join(missing), code="campaign_incomplete")
    _move(campaign, {_S.DRAFT, _S.PAUSED, _S.CLOSED}, _S.OPEN)
    invitation_mails.call()


def pause_campaign(campaign: Campaign) -> None:
    """Nobody records in it until it opens again; what was recorded is checked and paid."""
    _move(campaign, {_S.OPEN}, _S.PAUSED)


def close_campaign(campaign: Campaign) -> None:
    _move(campaign, {_S.DRAFT, _S.OPEN, _S.PAUSED}, _S.CLOSED)


def what_is_missing(campaign: Campaign) -> list[str]:
    """Why it cannot open yet, a sentence each."""
    texts = consenting.texts_of(campaign)
    wanted = [*campaign.purposes, *campaign.optional_purposes]
    missing = [
        f"There is no consent text for “{Purpose(purpose).label}”."
        for purpose in wanted
        if purpose not in texts
    ]
    if not campaign.prompts.filter(is_wanted=True).exists():
        missing.append("There are no sentences to read.")
    return missing


@transaction.atomic
def set_gates(campaign: Campaign, given: dict[str, Any]) -> bool:
    """Whether they are others than before: then what the pipeline alone decided is judged again, soon."""
    cleaned = gates.clean(given)
    locked = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    campaign.gates = cleaned
    if locked.gates == cleaned:
        return False
    Campaign.objects.filter(pk=campaign.pk).update(gates=cleaned)
    judge_again(campaign)
    return True


def judge_again(campaign: Campaign) -> None:
    send = partial(notices.send, JUDGE_AGAIN, str(campaign.pk), expires_seconds=JUDGE_AGAIN_EXPIRES_SECONDS)
    transaction.on_commit(send, robust=True)


@transaction.atomic
def invite(campaign: Campaign, addresses: Iterable[str], *, is_mail_wanted: bool = False) -> Invited:
    """Whoever signs in with one of these may record. `InvalidRequest` for too many.

    Mails go out while the campaign runs; who was invited before gets none by this.
    """
    wanted = [address.strip().strip("<>,;").lower() for address in addresses]
    wanted = [address for address in wanted if address]
    if len(wanted) > MAX_INVITED:
        raise InvalidRequest(f"Invite at most {MAX_INVITED:,} people at once.", param="addresses")
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    there = {email.lower() for email in campaign.invitations.values_list("email", flat=True)}
    result, made = Invited(), []
    for address in wanted:
        if address in there:
            result.repeated += 1
            continue
        try:
            validate_email(address)
        except ValidationError:
            result.refused.append(address)
            continue
        there.add(address)
        made.append(CampaignInvitation(campaign=campaign, email=address, is_mail_wanted=is_mail_wanted))
    result.added = len(CampaignInvitation.objects.bulk_create(made, batch_size=1000))
    if is_mail_wanted and made:
        invitation_mails.call()
    return result


def _move(campaign: Campaign, allowed: set[Campaign.State], to: Campaign.State) -> None:
    if not Campaign.objects.filter(pk=campaign.pk, state__in=allowed).update(state=to):
        campaign.refresh_from_db(fields=["state"])
        raise Conflict(f"The campaign is {campaign.get_state_display().lower()}.")
    campaign.state = to
