"""What a person is asked to agree to in a campaign: each purpose with its text, and what they said to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.contributions import consenting
from apps.contributions.models import Campaign, ConsentRecord, ConsentText, Contributor, Purpose
from apps.core.errors import InvalidRequest


@dataclass(frozen=True)
class Ask:
    """One purpose. `held` is the consent that is in force, to this version or to an older one."""

    purpose: str
    text: ConsentText
    is_needed: bool
    held: ConsentRecord | None

    @property
    def label(self) -> str:
        return str(Purpose(self.purpose).label)

    @property
    def is_agreed(self) -> bool:
        return self.held is not None and self.held.sha256 == self.text.sha256

    @property
    def has_changed(self) -> bool:
        return self.held is not None and not self.is_agreed


def asks(contributor: Contributor, campaign: Campaign, locale: str) -> list[Ask]:
    """Those that the campaign needs first. A purpose without a text cannot be agreed to and is left out."""
    held = consenting.in_force(contributor, campaign)
    current = consenting.current_hashes(campaign)
    found = []
    for purpose, text in consenting.texts_of(campaign, locale).items():
        record = held.get(purpose)
        # What holds was read in its own language, whatever the browser speaks today.
        shown = record.text if record is not None and record.sha256 in current else text
        found.append(Ask(purpose, shown, purpose in campaign.purposes, record))
    return found


def agree(
    contributor: Contributor,
    campaign: Campaign,
    *,
    shown: Mapping[str, str],
    is_adult: bool,
    address: str | None,
    user_agent: str,
) -> list[ConsentRecord]:
    """Records what is new, beside what was agreed to before in its current version and holds.

    Raises as `consenting.agree` does, and `InvalidRequest` for a purpose that the campaign does not have.
    """
    known = {*campaign.purposes, *campaign.optional_purposes}
    for purpose in shown:
        if purpose not in known:
            raise InvalidRequest("The campaign does not ask for this purpose.", param="purposes")
    current = consenting.current_hashes(campaign)
    before = {
        purpose: record.sha256
        for purpose, record in consenting.in_force(contributor, campaign).items()
        if record.sha256 in current and purpose in known
    }
    return consenting.agree(
        contributor=contributor,
        campaign=campaign,
        shown={**before, **shown},
        is_adult=is_adult,
        address=address,
        user_agent=user_agent,
    )
