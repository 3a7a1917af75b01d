"""Cloned voices: consent, the references at hand, and getting those that are not."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol

from gpu_worker.errors import WorkerError
from gpu_worker.logs import where_raised
from gpu_worker.protocol import ErrorCode, InvalidConsentError, SpeechRequest, verify_consent
from gpu_worker.references.decoding import (
    MAX_REFERENCE_BYTES,
    Children,
    InvalidReferenceError,
    decode_reference,
)
from gpu_worker.references.fetching import FetchError, UrlRefusedError, fetch_reference
from gpu_worker.references.reference import Reference
from gpu_worker.voice_cache import VoiceCache

logger = logging.getLogger(__name__)

# At 30 s and 24 kHz one takes 2.9 MB.
MAX_IN_MEMORY: Final = 32
SWEEP_SECONDS: Final = 300.0

_DECODERS: Final = 2
# Each holds up to 20 MB that came and are not decoded yet.
_INTAKES: Final = 8
_MAX_WAITING: Final = 64
_RETRY_SECONDS: Final = 2


class Upload(Protocol):
    """A recording that is sent with its request."""

    async def read_reference(self) -> bytes:
        """The recording, once. Raises WorkerError."""
        ...

    async def discard(self) -> None:
        """Lets the rest of the body pass, for the recording is here already. Raises WorkerError."""
        ...


class ClonedVoices:
    """The references of one worker, in memory and in a cache on disk. All methods run on the event loop.

    What is in memory counts only while it is on disk as well: a deletion by another worker over the same
    folder, or a day gone by, ends both.
    """

    def __init__(
        self, cache: VoiceCache, *, sample_rate: int, consent_secret: str, origins: Iterable[str] = ()
    ) -> None:
        self._cache = cache
        self._sample_rate = sample_rate
        self._consent_secret = consent_secret
        self._origins = frozenset(origins)
        self._memory: OrderedDict[str, Reference] = OrderedDict()
        self._decoding: dict[str, asyncio.Future[Reference]] = {}
        self._children = Children()
        self._decoders = ThreadPoolExecutor(_DECODERS, "reference-decoder")
        self._fetchers = ThreadPoolExecutor(_INTAKES, "reference-fetcher")
        self._intakes = asyncio.Semaphore(_INTAKES)
        self._waiting = 0
        self._deletions = 0
        self._sweeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Keeps the cache within its bounds from now on."""
        self._sweeping = asyncio.create_task(self._sweep_regularly())

    async def reference_for(self, request: SpeechRequest, upload: Upload | None = None) -> Reference:
        """The reference that the request names: from the cache, else from its upload or its URL.

        Raises WorkerError: without consent, where the worker has no reference and was given none, and for a
        reference that is not what it should be.
        """
        sha256 = request.reference_sha256
        assert sha256 is not None  # noqa: S101 - the caller looked
        self._check_consent(request, sha256)
        try:
            async with asyncio.timeout(request.deadline_ms and request.deadline_ms / 1000):
                reference = await self._find(sha256)
                if reference is None:
                    return await self._receive(request, sha256, upload)
                if upload is not None:
                    await upload.discard()
                return reference
        except TimeoutError as error:
            message = f"The deadline of {request.deadline_ms} ms has passed."
            raise WorkerError(ErrorCode.DEADLINE_EXCEEDED, message) from error

    async def delete(self, sha256: str) -> bool:
        """Removes a reference from disk and memory; requests that speak with it may finish."""
        self._deletions += 1
        in_memory = self._memory.pop(sha256, None) is not None
        on_disk = await asyncio.to_thread(self._cache.delete, sha256)
        return in_memory or on_disk

    async def close(self) -> None:
        """Ends what runs beside requests."""
        if self._sweeping:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        self._children.close()
        for executor in (self._fetchers, self._decoders):
            executor.shutdown(wait=False, cancel_futures=True)

    def _check_consent(self, request: SpeechRequest, sha256: str) -> None:
        if request.consent is None:
            message = "A cloned voice is spoken with only by a consent token of the platform."
            raise WorkerError(ErrorCode.CONSENT_REQUIRED, message, param="consent")
        try:
            verify_consent(request.consent, sha256, secret=self._consent_secret, tenant=request.tenant)
        except InvalidConsentError as error:
            raise WorkerError(ErrorCode.CONSENT_INVALID, str(error), param="consent") from error

    async def _find(self, sha256: str) -> Reference | None:
        if not await asyncio.to_thread(self._cache.touch, sha256, self._sample_rate):
            self._memory.pop(sha256, None)
            return None
        if reference := self._memory.get(sha256):
            self._memory.move_to_end(sha256)
            return reference
        deletions = self._deletions
        reference = await asyncio.to_thread(self._cache.get, sha256, self._sample_rate)
        if reference and deletions == self._deletions:
            return self._remember(reference)
        return reference

    def _remember(self, reference: Reference) -> Reference:
        """Keeps one object a voice, so that all requests share what engines derived."""
        kept = self._memory.setdefault(reference.sha256, reference)
        self._memory.move_to_end(kept.sha256)
        while len(self._memory) > MAX_IN_MEMORY:
            self._memory.popitem(last=False)
        return kept

    async def _receive(self, request: SpeechRequest, sha256: str, upload: Upload | None) -> Reference:
        if upload is None and request.reference_url is None:
            message = (
                "This worker lacks the voice; send the request again with reference_url or the reference."
            )
            raise WorkerError(ErrorCode.VOICE_MISSING, message, param="voice")
        async with self._intake():
            if upload is not None:
                param, data = "reference", await upload.read_reference()
            else:
                param, data = "reference_url", await self._fetch(request.reference_url or "")
            try:
                return await self._decode_once(sha256, data)
            except InvalidReferenceError as error:
                raise WorkerError(ErrorCode.INVALID, str(error), param=param) from error
            except OSError as error:
                raise _unavailable("This machine is too busy to decode the reference.") from error

    @contextlib.asynccontextmanager
    async def _intake(self) -> AsyncIterator[None]:
        if self._waiting >= _MAX_WAITING:
            message = "This worker takes in as many references as it can; come again in a moment."
            raise WorkerError(ErrorCode.QUEUE_FULL, message, retry_after_seconds=_RETRY_SECONDS)
        self._waiting += 1
        try:
            await self._intakes.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._intakes.release()

    async def _fetch(self, url: str) -> bytes:
        try:
            return await fetch_reference(url, self._origins, MAX_REFERENCE_BYTES, self._fetchers)
        except UrlRefusedError as error:
            raise WorkerError(ErrorCode.INVALID, str(error), param="reference_url") from error
        except FetchError as error:
            raise _unavailable(str(error)) from error

    async def _decode_once(self, sha256: str, data: bytes) -> Reference:
        """Checks, decodes and keeps a recording; requests that bring the same one share the work."""
        if not await asyncio.to_thread(_is_named, data, sha256):
            raise InvalidReferenceError("The reference's SHA-256 is not the one that voice names.")
        decoding = self._decoding.get(sha256)
        if decoding is None:
            decoding = self._decoding[sha256] = asyncio.create_task(self._decode(sha256, data))
            decoding.add_done_callback(partial(self._decoded, sha256))
        # A caller that leaves does not end it for the others.
        return await asyncio.shield(decoding)

    def _decoded(self, sha256: str, decoding: asyncio.Future[Reference]) -> None:
        self._decoding.pop(sha256, None)
        if not decoding.cancelled():
            # Looked at here too, for every caller may have left.
            decoding.exception()

    async def _decode(self, sha256: str, data: bytes) -> Reference:
        loop = asyncio.get_running_loop()
        deletions = self._deletions
        rate = self._sample_rate
        decode = partial(decode_reference, data, sha256, rate, self._children)
        reference = await loop.run_in_executor(self._decoders, decode)
        if deletions != self._deletions:
            return reference
        try:
            await asyncio.to_thread(self._cache.put, reference)
        except OSError as error:
            # A full disk costs a second upload, not this answer.
            logger.error("reference not kept", extra={"fields": where_raised(error)})
            return reference
        if deletions != self._deletions:
            await asyncio.to_thread(self._cache.delete, sha256)
            return reference
        return self._remember(reference)

    async def _sweep_regularly(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._cache.sweep)
                for sha256 in list(self._memory):
                    if not await asyncio.to_thread(self._cache.has, sha256, self._sample_rate):
                        self._memory.pop(sha256, None)
            except OSError as error:
                logger.error("voice cache not swept", extra={"fields": where_raised(error)})
            await asyncio.sleep(SWEEP_SECONDS)


def _unavailable(message: str) -> WorkerError:
    return WorkerError(ErrorCode.REFERENCE_UNAVAILABLE, message, retry_after_seconds=_RETRY_SECONDS)


def _is_named(data: bytes, sha256: str) -> bool:
    return hashlib.sha256(data).hexdigest() == sha256
