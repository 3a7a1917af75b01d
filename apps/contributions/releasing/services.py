"""Releases are frozen, taken up again where they failed, and given out by links."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone
from django.utils.text import slugify

from apps.accounts.models import User
from apps.contributions.gates import gates_of
from apps.contributions.models import (
    Campaign,
    Clip,
    ConsentRecord,
    Contributor,
    Prompt,
    Release,
    ReleasedClip,
)
from apps.contributions.releasing import keeping, naming
from apps.contributions.releasing.contents import facts_of, told_by
from apps.core import media, notices
from apps.core.errors import Conflict
from gpu_worker.text import speakable

MAKE: Final = "apps.contributions.releasing.tasks.make_release"
MAKE_EXPIRES_SECONDS: Final = 60
# Of a link: how long a download may take to begin.
LINK_SECONDS: Final = 3600
_AT_ONCE: Final = 1000
_TYPES: Final = {
    "tar": "application/x-tar",
    "parquet": "application/vnd.apache.parquet",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Link:
    """Who has the URL may fetch the file until it expires."""

    name: str
    url: str
    bytes: int
    sha256: str
    expires_at: datetime


def freeze(*, campaign: Campaign, by: User | None, notes: str = "") -> Release:
    """The next version: what is accepted now, with each consent that the campaign needs in force.

    It is made by Celery. Raises `Conflict` (`release_in_work`, `nothing_to_release`).
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        _require_none_in_work(locked)
        # Locked, so that nobody withdraws between being looked at and being written down.
        clips = list(
            releasable(locked)
            .select_for_update(no_key=True)
            .order_by("id")
            .values_list("pk", "contributor_id", "prompt_id")
        )
        if not clips:
            raise Conflict("Nothing of this campaign can be released yet.", code="nothing_to_release")
        release = _created(locked, [speaker for _, speaker, _ in clips], by=by, notes=notes)
        _write_down(release, clips)
        _call(release.pk)
    return release


def releasable(campaign: Campaign) -> QuerySet[Clip]:
    """Accepted clips, each recorded under every consent that the campaign needs now, none withdrawn."""
    clips = Clip.objects.filter(campaign=campaign, state=Clip.State.ACCEPTED, files_gone_at=None)
    for purpose in campaign.purposes:
        held = ConsentRecord.objects.filter(clips=OuterRef("pk"), purpose=purpose, withdrawal=None)
        clips = clips.filter(Exists(held))
    return clips.exclude(flac_key="")


def try_again(release: Release) -> None:
    """One that failed is made anew. Raises `Conflict` where it did not fail, or there is a newer one."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=release.campaign_id)
        _require_none_in_work(campaign)
        newer = Release.objects.filter(campaign=campaign, version__gt=release.version)
        if newer.exists():
            raise Conflict("There is a newer version of this release.", code="release_outdated")
        failed = Release.objects.filter(pk=release.pk, state=Release.State.FAILED, clips_count__gt=0)
        # From the beginning: the files of one that failed may be gone.
        if not failed.update(
            state=Release.State.QUEUED, steps_done=0, files=[], tries=0, problem="", updated_at=timezone.now()
        ):
            raise Conflict("This release did not fail, or has nothing left.", code="release_not_failed")
        _call(release.pk)
    release.refresh_from_db()


def links_of(release: Release) -> list[Link]:
    """Signed anew with each call. Raises `Conflict` (`release_not_ready`, `release_withdrawn`)."""
    if release.state != Release.State.READY:
        raise Conflict("This release is not ready.", code="release_not_ready")
    if release.files_gone_at is not None or not keeping.is_whole(release):
        raise Conflict(
            "Somebody in this release has withdrawn: its files are removed. Make the next version.",
            code="release_withdrawn",
        )
    expires_at = timezone.now() + timedelta(seconds=LINK_SECONDS)
    return [
        Link(
            url=media.signed_link(
                keeping.key_of(release, file["name"]),
                expires_seconds=LINK_SECONDS,
                filename=file["name"],
                content_type=_TYPES.get(file["name"].rpartition(".")[2], "text/plain; charset=utf-8"),
            ),
            expires_at=expires_at,
            **file,
        )
        for file in release.files
    ]


def _require_none_in_work(campaign: Campaign) -> None:
    if Release.objects.filter(campaign=campaign, state__in=Release.IN_WORK).exists():
        raise Conflict("A release of this campaign is being made.", code="release_in_work")


def _created(campaign: Campaign, speakers: list[UUID], *, by: User | None, notes: str) -> Release:
    """`speakers` has the speaker of each clip."""
    seed = naming.new_seed()
    last = Release.objects.filter(campaign=campaign).aggregate(last=Max("version"))["last"]
    gates = {name: _plain(value) for name, value in asdict(gates_of(campaign)).items()}
    told = {
        naming.pseudonym(seed, person.pk): told
        for person in Contributor.objects.filter(pk__in=set(speakers))
        if (told := told_by(person))
    }
    release: Release = Release.objects.create(
        campaign=campaign,
        version=(last or 0) + 1,
        seed=seed,
        notes=notes.strip(),
        created_by=by,
        frozen_at=timezone.now(),
        facts=facts_of(campaign, slug=slugify(campaign.name) or "voices", gates=gates),
        speakers=told,
        clips_count=len(speakers),
    )
    return release


def _write_down(release: Release, clips: list[tuple[UUID, UUID, UUID]]) -> None:
    texts = dict(Prompt.objects.filter(campaign=release.campaign_id).values_list("pk", "text"))
    splits = naming.splits_of(release.seed, Counter(speaker for _, speaker, _ in clips))
    written_out: dict[str, str] = {}
    language = release.facts["language"]

    def row(clip_id: UUID, speaker: UUID, prompt_id: UUID) -> ReleasedClip:
        text = texts[prompt_id]
        if text not in written_out:
            written_out[text] = " ".join(speakable(text, language=language).text.split())
        return ReleasedClip(
            release=release,
            clip_id=clip_id,
            public_id=naming.public_id(release.seed, clip_id),
            speaker=naming.pseudonym(release.seed, speaker),
            split=splits[speaker],
            text=text,
            normalised=written_out[text],
        )

    ReleasedClip.objects.bulk_create((row(*clip) for clip in clips), batch_size=_AT_ONCE)


def _plain(value: Any) -> Any:
    """Of an enumeration its value, as JSON keeps it."""
    return str(value) if isinstance(value, str) else value


def _call(release_id: UUID) -> None:
    call = partial(notices.send, MAKE, str(release_id), expires_seconds=MAKE_EXPIRES_SECONDS)
    transaction.on_commit(call, robust=True)
