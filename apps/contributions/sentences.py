"""Which sentences somebody is asked to read next, and how a campaign gets its sentences."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet

from apps.contributions import ledger
from apps.contributions.models import Campaign, Clip, Contributor, Prompt, PromptReport
from apps.contributions.models.campaigns import MAX_PROMPT_CHARACTERS
from apps.core.errors import InvalidRequest

SET_SIZE: Final = 5
MIN_CHARACTERS: Final = 3
MAX_IMPORTED: Final = 50_000
# Readers would each say them differently, or not at all.
_SYMBOLS: Final = frozenset("<>{}[]\\|^~`#@=_*")
_REPORTS_TO_HIDE: Final = 3


@dataclass
class Imported:
    """What came of an import: `refused` names each line, from 1 on, and why."""

    added: int = 0
    repeated: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def next_prompts(contributor: Contributor, campaign: Campaign, *, count: int = SET_SIZE) -> list[Prompt]:
    """Those with the fewest recordings first, at random among equals; none that the person has recorded,
    skipped or reported, and none where the campaign has all it wants, from this person or at all."""
    if has_enough_of(contributor, campaign) or is_spent(campaign):
        return []
    own = Clip.objects.counting().filter(contributor=contributor, campaign=campaign)
    left_out = PromptReport.objects.filter(contributor=contributor)
    return list(
        _wanted(campaign)
        .exclude(pk__in=own.values("prompt_id"))
        .exclude(pk__in=left_out.values("prompt_id"))
        .order_by(F("recordings").asc(), "?")[:count]
    )


def has_enough_of(contributor: Contributor, campaign: Campaign) -> bool:
    if campaign.clips_per_speaker is None:
        return False
    own = Clip.objects.counting().filter(contributor=contributor, campaign=campaign)
    return own.count() >= campaign.clips_per_speaker


def is_spent(campaign: Campaign) -> bool:
    """Whether what was accepted, with what is not decided yet, comes to the budget."""
    if campaign.budget_cents is None:
        return False
    undecided = Clip.objects.filter(campaign=campaign, state__in=Clip.UNDECIDED)
    expected = sum(
        told * cents // 60_000
        for told, cents in undecided.values_list("told_duration_ms", "cents_per_minute")
    )
    return ledger.spent_cents(campaign.pk) + expected >= campaign.budget_cents


def import_text(campaign: Campaign, text: str) -> Imported:
    """One sentence a line."""
    return import_prompts(campaign, text.splitlines())


def import_csv(campaign: Campaign, content: bytes) -> Imported:
    """The column `text` or `sentence`, else the first. Raises `InvalidRequest` for what is no UTF-8."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidRequest("The file is no CSV in UTF-8.", param="file") from None
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next((head.index(name) for name in ("text", "sentence") if name in head), None)
    lines = rows if column is None else rows[1:]
    return import_prompts(campaign, [row[column or 0] if len(row) > (column or 0) else "" for row in lines])


@transaction.atomic
def import_prompts(campaign: Campaign, lines: Sequence[str]) -> Imported:
    """Adds those that can be read aloud and are not there yet. Raises `InvalidRequest` for too many."""
    if len(lines) > MAX_IMPORTED:
        raise InvalidRequest(f"Import at most {MAX_IMPORTED:,} sentences at once.", param="file")
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    there = {_same(text) for text in campaign.prompts.values_list("text", flat=True)}
    number = campaign.prompts.aggregate(last=Max("number"))["last"] or 0
    result, prompts = Imported(), []
    for line, raw in enumerate(lines, start=1):
        text = unicodedata.normalize("NFC", " ".join(raw.split()))
        if not text:
            continue
        problem = flaw(text)
        if problem:
            result.refused.append((line, problem))
        elif _same(text) in there:
            result.repeated += 1
        else:
            there.add(_same(text))
            number += 1
            prompts.append(Prompt(campaign=campaign, number=number, text=text))
    result.added = len(Prompt.objects.bulk_create(prompts, batch_size=1000))
    return result


def flaw(text: str) -> str:
    """Why a sentence cannot be asked for; empty where it can."""
    if len(text) < MIN_CHARACTERS:
        return f"It has fewer than {MIN_CHARACTERS} characters."
    if len(text) > MAX_PROMPT_CHARACTERS:
        return f"It has more than {MAX_PROMPT_CHARACTERS} characters."
    if not text.isprintable():
        return "It has characters that cannot be seen."
    symbols = sorted(_SYMBOLS.intersection(text))
    if symbols:
        return f"Nobody can say {' '.join(symbols)}."
    if not any(character.isalpha() for character in text):
        return "It has no letters."
    return ""


def progress(campaign: Campaign) -> dict[str, int]:
    """How many clips are wanted, and how many there are by state."""
    by_state = campaign.clips.order_by().values_list("state").annotate(count=Count("pk"))
    wanted = campaign.prompts.filter(is_wanted=True).count() * campaign.clips_per_prompt
    return {"wanted": wanted, **dict(by_state)}


def report(contributor: Contributor, prompt: Prompt, reason: str) -> None:
    """It is not shown to them again; one that several report is shown to nobody until staff have looked."""
    if reason not in PromptReport.Reason.values:
        raise InvalidRequest("Choose why.", param="reason")
    PromptReport.objects.update_or_create(prompt=prompt, contributor=contributor, defaults={"reason": reason})


def _wanted(campaign: Campaign) -> QuerySet[Prompt]:
    counting = Count("clips", filter=Q(clips__state__in=Clip.COUNTING), distinct=True)
    serious = Q(reports__resolved_by=None) & ~Q(reports__reason=PromptReport.Reason.SKIPPED)
    return (
        Prompt.objects.filter(campaign=campaign, is_wanted=True)
        .annotate(recordings=counting, reported=Count("reports", filter=serious, distinct=True))
        .filter(recordings__lt=F("campaign__clips_per_prompt"), reported__lt=_REPORTS_TO_HIDE)
    )


def _same(text: str) -> str:
    """What two spellings of one sentence have in common."""
    words: Iterable[str] = "".join(c if c.isalnum() or c.isspace() else "" for c in text.casefold()).split()
    return " ".join(words)
