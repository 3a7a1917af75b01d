"""Cloned voices on their way to a worker: found, spoken with while consented to, and handed over."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Self
from uuid import UUID

import structlog

from apps.core import media
from apps.core.errors import NotFound, PermissionDenied, Unavailable
from apps.core.threads import BlockingThreads
from apps.keys.identity import Identity
from apps.voices.resolving import (
    OwnVoices,
    ResolvedVoice,
    consent_token,
    reference_location,
    require_speakable,
)

logger = structlog.get_logger(__name__)

# How long a look at a voice is good for: a stream that is running ends so soon after its consent does.
LOOK_EVERY_SECONDS: Final = 20.0
# With the database away, as long as a worker would go by a token of ours.
TRUSTED_SECONDS: Final = 60.0
ORGANIZATIONS_REMEMBERED: Final = 1000
_THREADS: Final = 4


@dataclass(slots=True)
class Clone:
    """A cloned voice as one request speaks with it.

    On the monotonic clock: until `known_until` it is known to be speakable, at `look_at` that is asked again.
    """

    voice: ResolvedVoice
    policy_version: int
    known_until: float
    look_at: float
    _threads: BlockingThreads = field(repr=False)

    @classmethod
    def found(cls, voice: ResolvedVoice, policy_version: int, threads: BlockingThreads) -> Self:
        now = time.monotonic()
        return cls(voice, policy_version, now + TRUSTED_SECONDS, now + LOOK_EVERY_SECONDS, threads)

    def doubt(self) -> None:
        """What was known of it is out of date."""
        self.known_until = self.look_at = 0.0

    async def require(self) -> None:
        """Returns if it may be spoken, by a look that is not older than 20 s.

        Raises `PermissionDenied`, `NotFound` where it is gone, and `Unavailable` where the database has been
        away for a minute: that long a worker would go by a token, too.
        """
        now = time.monotonic()
        if now < self.look_at:
            return
        self.look_at = now + LOOK_EVERY_SECONDS
        try:
            await self._threads.run(partial(require_speakable, self.voice))
        except Unavailable:
            if now >= self.known_until:
                raise
        else:
            self.known_until = now + TRUSTED_SECONDS

    async def token(self) -> str:
        """The word to a worker that the voice may be spoken with now. Raises as `require` does."""
        await self.require()
        return consent_token(self.voice)

    async def location(self) -> str | None:
        """Where a worker may fetch the recording from; None where it must be sent."""
        return await self._threads.run(partial(reference_location, self.voice))

    async def recording(self) -> bytes:
        """At most 3 MB. Raises `NotFound` where it is gone, with its voice."""
        try:
            return await self._threads.run(partial(media.read, self.voice.reference_key))
        except FileNotFoundError as error:
            logger.warning("recording is gone", voice=str(self.voice.id))
            raise NotFound("This voice was deleted.", code="voice_not_found", param="voice") from error


class Clones:
    """What is known of organizations' cloned voices, each at one version of its policy; on one event loop.

    Whatever changes in a voice raises that version, and an identity that carries an old one is refused by
    admission: nothing here is ever out of date for longer than an identity is.
    """

    def __init__(self) -> None:
        self._threads = BlockingThreads(_THREADS, name="voices")
        self._known: OrderedDict[UUID, tuple[int, asyncio.Future[OwnVoices]]] = OrderedDict()

    def stop(self) -> None:
        self._threads.stop()

    async def find(self, identity: Identity, reference: str | None) -> Clone | None:
        """The organization's own voice of that id or name, `None` where it has none.

        Raises `PermissionDenied`: `voice_suspended`, `consent_withdrawn`, and for a test key
        `voice_not_available_in_test`.
        """
        if reference is None:
            return None
        voices = await self._voices_of(identity)
        voice = voices.find(reference)
        if voice is None:
            return None
        if identity.mode == "test":
            raise PermissionDenied(
                "Test keys speak with the platform's voices only; a cloned one needs a live key.",
                code="voice_not_available_in_test",
                param="voice",
            )
        return Clone.found(voice, identity.policy_version, self._threads)

    async def _voices_of(self, identity: Identity) -> OwnVoices:
        organization_id, version = identity.organization_id, identity.policy_version
        known = self._known.get(organization_id)
        if known is None or known[0] != version:
            reading = asyncio.ensure_future(self._threads.run(partial(OwnVoices.read, organization_id)))
            reading.add_done_callback(partial(self._has_read, organization_id))
            known = self._known[organization_id] = (version, reading)
            if len(self._known) > ORGANIZATIONS_REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(organization_id)
        if known[1].done():
            return known[1].result()
        # Others wait for the same reading: who leaves does not end it.
        return await asyncio.shield(known[1])

    def _has_read(self, organization_id: UUID, reading: asyncio.Future[OwnVoices]) -> None:
        """One that failed is forgotten, so that the next request asks again."""
        if reading.cancelled() or reading.exception() is not None:
            known = self._known.get(organization_id)
            if known is not None and known[1] is reading:
                del self._known[organization_id]
