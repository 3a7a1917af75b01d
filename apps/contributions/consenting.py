"""Agreeing, purpose by purpose, to the very words that were shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, ip_network

from django.db import transaction

from apps.contributions.models import Campaign, ConsentRecord, ConsentText, Contributor
from apps.core.addresses import parse_address
from apps.core.errors import Conflict, InvalidRequest

FALLBACK_LOCALE = "en"
MAX_AGENT = 300


def texts_of(campaign: Campaign, locale: str = FALLBACK_LOCALE) -> dict[str, ConsentText]:
    """For each purpose of the campaign its current text, in the locale or the nearest that there is."""
    wanted = [*campaign.purposes, *campaign.optional_purposes]
    found: dict[str, ConsentText] = {}
    texts = list(ConsentText.objects.filter(campaign=campaign, purpose__in=wanted).order_by("-version"))
    for purpose in wanted:
        of_purpose = [text for text in texts if text.purpose == purpose]
        for spoken in (locale, locale.split("-")[0], campaign.language, FALLBACK_LOCALE, None):
            match = next((t for t in of_purpose if spoken is None or t.locale == spoken), None)
            if match is not None:
                found[purpose] = match
                break
    return found


@transaction.atomic
def publish_text(*, campaign: Campaign, purpose: str, locale: str, text: str) -> ConsentText:
    """A new version; who agreed to one before is asked again where it is a purpose that is needed."""
    text = text.strip()
    if len(text) < 20:
        raise InvalidRequest("A consent text says what people agree to.", param="text")
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    last = ConsentText.objects.filter(campaign=campaign, purpose=purpose, locale=locale).first()
    if last is not None and last.text == text:
        return last
    version = last.version + 1 if last else 1
    created: ConsentText = ConsentText.objects.create(
        campaign=campaign, purpose=purpose, locale=locale, version=version, text=text
    )
    return created


@transaction.atomic
def agree(
    *,
    contributor: Contributor,
    campaign: Campaign,
    shown: Mapping[str, str],
    is_adult: bool,
    address: str | None,
    user_agent: str,
) -> list[ConsentRecord]:
    """Records consent for each purpose in `shown`, by the SHA-256 of the text that the person saw.

    Raises `InvalidRequest` where a needed purpose is missing or the person is no adult, `Conflict` where a
    text has changed since it was shown.
    """
    if not is_adult:
        raise InvalidRequest("You must be 18 or older to take part.", param="is_adult")
    missing = [purpose for purpose in campaign.purposes if purpose not in shown]
    if missing:
        raise InvalidRequest("Each purpose that the campaign needs must be agreed to.", param=missing[0])
    known = {
        text.sha256: text
        for text in ConsentText.objects.filter(campaign=campaign, sha256__in=list(shown.values()))
    }
    current = current_hashes(campaign)
    records = []
    for purpose, sha256 in shown.items():
        text = known.get(sha256)
        if text is None or text.purpose != purpose or sha256 not in current:
            raise Conflict("The text has changed since you saw it. Read it again.", code="consent_changed")
        records.append(_record(contributor, campaign, text, truncated(address), user_agent))
    return records


def in_force(contributor: Contributor, campaign: Campaign) -> dict[str, ConsentRecord]:
    """What holds of each purpose: the newest record that was not withdrawn."""
    records = ConsentRecord.objects.filter(
        contributor=contributor, campaign=campaign, withdrawal=None
    ).order_by("id")
    return {record.purpose: record for record in records}


def may_record(contributor: Contributor, campaign: Campaign) -> bool:
    """Whether each purpose that the campaign needs was agreed to, in its current version."""
    held = in_force(contributor, campaign)
    current = current_hashes(campaign)
    return all(purpose in held and held[purpose].sha256 in current for purpose in campaign.purposes)


def current_hashes(campaign: Campaign) -> set[str]:
    """SHA-256 of the newest text of each purpose in each locale."""
    return {text.sha256 for text in _current(campaign)}


def truncated(address: str | None) -> str:
    """The network that an address is in: enough to tell places apart, too little to tell people apart."""
    known = parse_address(address)
    if known is None:
        return ""
    bits = 24 if isinstance(known, IPv4Address) else 48
    return str(ip_network(f"{known}/{bits}", strict=False))


def _current(campaign: Campaign) -> Iterable[ConsentText]:
    """The newest version in each locale."""
    newest: dict[tuple[str, str], ConsentText] = {}
    for text in ConsentText.objects.filter(campaign=campaign).order_by("version"):
        newest[text.purpose, text.locale] = text
    return newest.values()


def _record(
    contributor: Contributor, campaign: Campaign, text: ConsentText, network: str, user_agent: str
) -> ConsentRecord:
    """One that holds already stays the one."""
    held: ConsentRecord | None = ConsentRecord.objects.filter(
        contributor=contributor, text=text, withdrawal=None
    ).first()
    if held is not None:
        return held
    created: ConsentRecord = ConsentRecord.objects.create(
        contributor=contributor,
        campaign=campaign,
        text=text,
        purpose=text.purpose,
        version=text.version,
        sha256=text.sha256,
        locale=text.locale,
        is_adult=True,
        network=network,
        user_agent=user_agent[:MAX_AGENT],
    )
    return created
