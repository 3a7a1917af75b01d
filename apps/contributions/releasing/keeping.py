"""Where the files of releases lie, and that they go where somebody in them withdrew."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from apps.contributions.models import Clip, ConsentRecord, Release, ReleasedClip
from apps.core import media

logger = structlog.get_logger(__name__)

_S: Final = Release.State


def folder_of(release: Release) -> str:
    return f"releases/{release.campaign_id}/{release.version}"


def key_of(release: Release, name: str) -> str:
    return f"{folder_of(release)}/{release.generation}/{name}"


def before(release: Release) -> Release | None:
    """The version of the campaign that was ready before this one."""
    ready = Release.objects.filter(campaign=release.campaign_id, state=_S.READY, version__lt=release.version)
    found: Release | None = ready.order_by("-version").first()
    return found


def removed_ids(release: Release) -> list[str]:
    """Ids, of the version before, of what was withdrawn since."""
    earlier = before(release)
    if earlier is None:
        return []
    gone = earlier.clips.filter(is_removed=False, clip__state=Clip.State.WITHDRAWN)
    return list(gone.order_by("public_id").values_list("public_id", flat=True))


def lock_clips(release: Release) -> None:
    """Its clips and those of the version before: withdrawals wait for the end of the transaction."""
    earlier = before(release)
    versions = [release.pk, *([earlier.pk] if earlier else [])]
    released = ReleasedClip.objects.filter(release__in=versions, is_removed=False)
    clips = Clip.objects.filter(pk__in=released.order_by().values("clip_id")).order_by("id")
    for _ in clips.select_for_update(no_key=True).values_list("pk").iterator(chunk_size=2000):
        pass


def has_withdrawn(release_id: UUID) -> bool:
    """Whether something was withdrawn of what this generation of its files has."""
    release = Release.objects.only("clips_count").get(pk=release_id)
    intact = release.clips.filter(is_removed=False).exclude(clip__state=Clip.State.WITHDRAWN)
    return intact.count() < release.clips_count


def begin_again(release_id: UUID) -> int:
    """A release in work gets a new generation, without what was withdrawn; whoever makes the old one stops.

    Answers how many clips are left. Where nothing was withdrawn, nothing changes.
    """
    with transaction.atomic():
        release = Release.objects.select_for_update().get(pk=release_id)
        if release.state in Release.IN_WORK and has_withdrawn(release_id):
            _withdrawn(release).update(is_removed=True)
            release.generation += 1
            release.clips_count = release.clips.filter(is_removed=False).count()
            release.steps_done = release.tries = 0
            release.files, release.problem = [], ""
            release.claimed_by = release.claimed_until = None
            if not release.clips_count:
                release.state, release.problem = _S.FAILED, "All of its recordings were withdrawn."
            release.save()
            logger.info("release begins again", release=str(release_id), clips=release.clips_count)
    tidy(release)
    return release.clips_count


def is_whole(release: Release) -> bool:
    """Whether nobody in it has withdrawn."""
    return not _withdrawn(release).exists()


def outdated() -> list[UUID]:
    """Ready releases whose files are still there, though somebody in them has withdrawn."""
    gone = ReleasedClip.objects.filter(
        release=OuterRef("pk"), is_removed=False, clip__state=Clip.State.WITHDRAWN
    )
    found = Release.objects.filter(Exists(gone), state=_S.READY, files_gone_at=None)
    return list(found.values_list("pk", flat=True))


def remove_files(release: Release) -> None:
    """All of them; the row stays, for the version after it names what was withdrawn. Safe to repeat."""
    for key, _ in list(media.listed(folder_of(release))):
        media.delete(key)
    gone = Release.objects.filter(pk=release.pk, files_gone_at=None)
    if gone.update(files_gone_at=timezone.now(), updated_at=timezone.now()):
        logger.info("files of a release removed", release=str(release.pk))


def forget(consent: ConsentRecord) -> None:
    """Called while a withdrawal is carried out: what releases still hold of a speaker whose clips have ended.

    Raises `Unavailable`.
    """
    of_speaker = ReleasedClip.objects.filter(
        clip__contributor=consent.contributor_id,
        clip__campaign=consent.campaign_id,
        clip__state=Clip.State.WITHDRAWN,
    )
    for release in Release.objects.filter(pk__in=of_speaker.order_by().values("release_id")):
        _forget_speakers(release, of_speaker.filter(release=release))
        if release.state in Release.IN_WORK:
            begin_again(release.pk)
        elif release.state == _S.READY and release.files_gone_at is None and not is_whole(release):
            remove_files(release)


def tidy(release: Release) -> None:
    """Removes what no file of the release is: of generations before, of one that failed. Safe to repeat."""
    wanted = f"{folder_of(release)}/{release.generation}/"
    if release.state == _S.FAILED or release.files_gone_at is not None:
        wanted = "none/"
    for key, _ in list(media.listed(folder_of(release))):
        if not key.startswith(wanted):
            media.delete(key)


def _withdrawn(release: Release) -> QuerySet[ReleasedClip]:
    return release.clips.filter(is_removed=False, clip__state=Clip.State.WITHDRAWN)


@transaction.atomic
def _forget_speakers(release: Release, clips: QuerySet[ReleasedClip]) -> None:
    gone = set(clips.values_list("speaker", flat=True))
    locked = Release.objects.select_for_update().only("speakers").get(pk=release.pk)
    left = {speaker: told for speaker, told in locked.speakers.items() if speaker not in gone}
    if len(left) < len(locked.speakers):
        Release.objects.filter(pk=release.pk).update(speakers=left)
