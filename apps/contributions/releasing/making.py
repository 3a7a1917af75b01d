"""A release is made: step by step, each claimed, each one file. Whatever kills a task, another goes on.

What is withdrawn meanwhile is in none of the files that become ready: all that were made with it are removed
and made anew without it, under keys that no task which still writes the old ones knows.
"""

from __future__ import annotations

import hashlib
import io
import os
from threading import Event
from typing import IO, Any, Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.contributions import events
from apps.contributions.models import Release
from apps.contributions.releasing import claims, keeping, papers
from apps.contributions.releasing.claims import Claim, ClaimLost
from apps.contributions.releasing.contents import AudioLost, Contents
from apps.contributions.releasing.formats.tars import scratch_file
from apps.contributions.releasing.planning import steps_of
from apps.core import media
from apps.core.errors import Unavailable

logger = structlog.get_logger(__name__)

MAX_TRIES: Final = 5
_READ_BYTES: Final = 1 << 20
File = dict[str, Any]


def make(release_id: UUID) -> bool:
    """One step; answers whether there may be more to do. Safe to call at any time, and twice at once.

    Raises what it does not know: the claim lapses then, and the step is tried again, a few times in all.
    """
    claim = claims.claim(release_id)
    if claim is None:
        return False
    with structlog.contextvars.bound_contextvars(release=str(release_id)):
        try:
            with claims.renewed(claim) as in_vain:
                return _go_on(claim, in_vain)
        except ClaimLost:
            logger.info("release goes on elsewhere, or without what was withdrawn")
            claims.give_back(claim, counted=False)
            # What was stored of it a moment ago may be of a generation that is gone.
            keeping.tidy(Release.objects.get(pk=release_id))
            return True
        except Unavailable as error:
            logger.warning("release waits for the storage", error=error.code)
            claims.give_back(claim, counted=False)
            return False
        except Exception as error:
            claim.rows.update(problem=f"The last step ended with {type(error).__name__}.")
            raise


def _go_on(claim: Claim, in_vain: Event) -> bool:
    release = claim.rows.select_related("campaign__organization").first()
    if release is None:
        raise ClaimLost
    if keeping.has_withdrawn(release.pk):
        return keeping.begin_again(release.pk) > 0
    if release.tries > MAX_TRIES:
        _fail(claim, release.problem or "Making it ended without a word, several times in a row.")
        return False

    def keep_on() -> None:
        if in_vain.is_set():
            raise ClaimLost

    contents = Contents(release, keep_on)
    try:
        return _do_next(claim, contents)
    except AudioLost as error:
        if keeping.has_withdrawn(release.pk):
            return keeping.begin_again(release.pk) > 0
        _fail(claim, str(error))
        return False


def _do_next(claim: Claim, contents: Contents) -> bool:
    release = contents.release
    steps = steps_of(contents)
    total = len(steps) + 1
    if release.steps_total != total:
        claim.rows.update(steps_total=total)
    if release.steps_done < len(steps):
        step = steps[release.steps_done]
        with scratch_file() as file:
            step.write(file, contents)
            contents.keep_on()
            made = [_kept(release, step.name, file)]
        _note(claim, release, made)
        return True
    if release.steps_done == len(steps):
        removed_ids = keeping.removed_ids(release)
        _note(claim, release, _papers(contents, removed_ids), removed_ids=removed_ids)
        return True
    return not _finish(claim)


def _papers(contents: Contents, removed_ids: list[str]) -> list[File]:
    release = contents.release
    datasheet = papers.datasheet(contents, removed_ids)
    made = [_kept(release, papers.DATASHEET, io.BytesIO(datasheet))]
    manifest = papers.manifest(contents, [*release.files, *made], removed_ids)
    made.append(_kept(release, papers.MANIFEST, io.BytesIO(manifest)))
    checksums = papers.checksums([*release.files, *made])
    made.append(_kept(release, papers.CHECKSUMS, io.BytesIO(checksums)))
    return made


def _kept(release: Release, name: str, file: IO[bytes]) -> File:
    """Stores the file; what is told of it is of the very bytes that are stored."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest = hashlib.sha256()
    while part := file.read(_READ_BYTES):
        digest.update(part)
    media.save(keeping.key_of(release, name), file)
    return {"name": name, "bytes": size, "sha256": digest.hexdigest()}


def _note(claim: Claim, release: Release, made: list[File], **also: Any) -> None:
    noted = claim.rows.filter(steps_done=release.steps_done).update(
        steps_done=F("steps_done") + 1,
        files=[*release.files, *made],
        tries=0,
        problem="",
        claimed_by=None,
        claimed_until=None,
        updated_at=timezone.now(),
        **also,
    )
    if not noted:
        raise ClaimLost


def _finish(claim: Claim) -> bool:
    """Ready, unless something was withdrawn to this moment: then False, and the next step sees to it.

    A withdrawal locks the clips that it ends. What waits for it here sees it; what it waits for is ready by
    then, and its files are removed.
    """
    with transaction.atomic():
        release = claim.rows.select_for_update(of=("self",)).select_related("campaign").first()
        if release is None:
            raise ClaimLost
        keeping.lock_clips(release)
        if keeping.has_withdrawn(release.pk):
            claims.give_back(claim, counted=False)
            return False
        if keeping.removed_ids(release) != release.removed_ids:
            # Withdrawn of the version before: its papers are made anew.
            kept = [file for file in release.files if file["name"] not in papers.ALL]
            claim.rows.update(steps_done=F("steps_done") - 1, files=kept)
            claims.give_back(claim, counted=False)
            return False
        claim.rows.update(
            state=Release.State.READY,
            ready_at=timezone.now(),
            tries=0,
            claimed_by=None,
            claimed_until=None,
            updated_at=timezone.now(),
        )
        events.release_ready(release, clips=release.clips_count)
    keeping.tidy(Release.objects.get(pk=release.pk))
    return True


def _fail(claim: Claim, problem: str) -> None:
    logger.error("release failed", problem=problem)
    claim.rows.update(
        state=Release.State.FAILED,
        problem=problem[:300],
        claimed_by=None,
        claimed_until=None,
        updated_at=timezone.now(),
    )
