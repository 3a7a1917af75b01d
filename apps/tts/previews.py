"""Preview clips: each voice says one sentence, through the same workers as everything else; nobody pays."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import aiohttp
import structlog
from django.db.models import Q
from django.utils import timezone

from apps.core.errors import AppError, Unavailable
from apps.core.threads import BlockingThreads
from apps.deployments.routing import Need, Router
from apps.tts.attempts import Attempts
from apps.tts.cloning import Clone
from apps.tts.meaning import CLONING
from apps.tts.runtime import CONNECT_SECONDS, READ_SECONDS
from apps.tts.upstream import Gone
from apps.voices import services
from apps.voices.models import Voice
from apps.voices.resolving import find_voice
from gpu_worker.protocol import Audio, SpeechRequest

logger = structlog.get_logger(__name__)

SENTENCES: Final = {
    "en": "Hello! This is how I sound. Give me a text, and I will read it to you.",
    "de": "Hallo! So klinge ich. Gib mir einen Text, und ich lese ihn dir vor.",
    "es": "¡Hola! Así sueno yo. Dame un texto y te lo leeré.",
    "fr": "Bonjour ! Voici comment je parle. Donnez-moi un texte, et je vous le lirai.",
    "it": "Ciao! Ecco come suona la mia voce. Dammi un testo e te lo leggerò.",
    "pt": "Olá! É assim que eu soo. Dê-me um texto e eu o lerei para você.",
}
DEADLINE_MS: Final = 120_000
MAX_CLIP_BYTES: Final = 2_000_000
AT_ONCE: Final = 20
# What was given up is tried again so much later: a deployment may have come that can speak it.
AGAIN_AFTER: Final = timedelta(hours=1)
# These pass by themselves; any other refusal is told on the voice's page.
_PASSING: Final = frozenset(
    {"speech_unavailable", "system_busy", "no_worker_ready", "deployment_asleep", "database_away"}
    | {"storage_unavailable", "unavailable"}
)


@dataclass(frozen=True, slots=True)
class ClipMouth:
    """As much of a speech process as one clip needs."""

    router: Router
    upstream: aiohttp.ClientSession


def wanted() -> list[UUID]:
    """Voices that have no clip, those first that have waited longest."""
    tried_long_ago = Q(preview_problem="") | Q(updated_at__lt=timezone.now() - AGAIN_AFTER)
    voices = Voice.objects.shown().filter(tried_long_ago, state=Voice.State.ACTIVE, preview_key="")
    return list(voices.order_by("updated_at").values_list("pk", flat=True)[:AT_ONCE])


def make(voice_id: UUID) -> None:
    """Makes and keeps the clip of one voice that has none. What stands in the way is noted."""
    voice: Voice | None = Voice.objects.shown().filter(pk=voice_id, state=Voice.State.ACTIVE).first()
    if voice is None or voice.preview_key:
        return
    try:
        services.set_preview(voice=voice, mp3=asyncio.run(_spoken(voice)))
    except AppError as error:
        is_passing = error.code in _PASSING
        logger.info("no preview", voice=str(voice.pk), code=error.code, tried_again=is_passing)
        # Written also where nothing is wrong: others wait, too.
        services.note_preview_problem(voice=voice, problem="" if is_passing else error.message)


async def _spoken(voice: Voice) -> bytes:
    threads = BlockingThreads(1, name="preview")
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            router = Router()
            await router.refresh()
            clone = await _clone_of(voice, threads) if voice.is_cloned else None
            return await _clip(ClipMouth(router, session), voice, clone)
    finally:
        threads.stop()


async def _clone_of(voice: Voice, threads: BlockingThreads) -> Clone | None:
    assert voice.organization_id is not None  # noqa: S101 - a cloned voice has one
    find = partial(find_voice, organization_id=voice.organization_id, reference=str(voice.pk))
    found = await threads.run(find)
    return Clone.found(found, 0, threads) if found else None


async def _clip(mouth: ClipMouth, voice: Voice, clone: Clone | None) -> bytes:
    name, features = (None, CLONING) if clone else (voice.engine_voice, frozenset[str]())
    choice = await mouth.router.choose(organization_id=voice.organization_id, voice=name, features=features)
    need = Need(
        organization_id=voice.organization_id,
        tenant=voice.organization_id or UUID(int=0),
        model=choice.model,
        voice=name,
        features=features,
    )
    # A clip wakes nobody, and waits for nobody who pays.
    slot = mouth.router.take(need)
    if slot is None:
        raise Unavailable("No worker is free.")
    attempts = Attempts(mouth, _request(voice, choice.model, need), need, slot=slot, clone=clone)
    try:
        return await _whole(attempts)
    finally:
        await attempts.close()


async def _whole(attempts: Attempts) -> bytes:
    if not await attempts.next_worker():
        raise Unavailable("No worker could speak.")
    clip = bytearray()
    try:
        async for message in attempts.messages():
            if isinstance(message, Audio):
                clip += message.data
            if len(clip) > MAX_CLIP_BYTES:
                raise Unavailable("The clip is too long.")
    except Gone as error:
        raise Unavailable("The worker broke off.") from error
    return bytes(clip)


def _request(voice: Voice, model: str, need: Need) -> SpeechRequest:
    language, sentence = _sentence_for(voice.languages)
    request = SpeechRequest(
        text=sentence,
        request_id=f"preview_{voice.pk.hex}",
        model=model,
        voice=need.voice,
        seed=1,
        format="mp3",
        stream=True,
        deadline_ms=DEADLINE_MS,
        tenant=str(need.tenant),
    )
    return request if language == "en" else replace(request, language=language)


def _sentence_for(languages: list[str]) -> tuple[str, str]:
    """In the voice's first language that we have one in; English for a voice that speaks it, too."""
    spoken = [language.lower().partition("-")[0] for language in languages]
    language = "en" if "en" in spoken else next((name for name in spoken if name in SENTENCES), "en")
    return language, SENTENCES[language]
