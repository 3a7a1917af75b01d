"""Which model and voice a request means, and whose deployments may speak it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypedDict
from uuid import UUID

from apps.core.errors import NotFound, PermissionDenied
from apps.deployments.catalogue import CLONE
from apps.deployments.routing import Choice, Need
from apps.tts.cloning import Clone
from apps.tts.request import SpeechBody
from apps.tts.runtime import Runtime
from apps.usage.admission import Caller

TEST_ENGINE: Final = "cpu"
CLONING: Final = frozenset({CLONE})


class Reach(TypedDict):
    """Whose deployments may speak for a caller: what the router is asked with."""

    organization_id: UUID | None
    engine: str | None
    may_use_shared: bool


def reach_of(caller: Caller) -> Reach:
    """A test key reaches the platform's own CPU engine and nothing else."""
    if caller.identity.mode == "test":
        return Reach(organization_id=None, engine=TEST_ENGINE, may_use_shared=True)
    return Reach(
        organization_id=caller.identity.organization_id,
        engine=None,
        may_use_shared=caller.policy.may_use_shared_pool,
    )


async def meant(runtime: Runtime, caller: Caller, body: SpeechBody) -> tuple[Choice, Need, Clone | None]:
    """The model and voice, what is asked of a worker, and the voice again where it is a cloned one.

    Looks again before it refuses, where something has changed meanwhile: a voice that was added a moment ago
    is there.
    """
    try:
        return await _known_by_now(runtime, caller, body)
    except (NotFound, PermissionDenied):
        if not await runtime.admission.renew_if_stale(caller):
            raise
    return await _known_by_now(runtime, caller, body)


async def _known_by_now(
    runtime: Runtime, caller: Caller, body: SpeechBody
) -> tuple[Choice, Need, Clone | None]:
    reach, tenant = reach_of(caller), caller.identity.organization_id
    clone = await runtime.clones.find(caller.identity, body.voice)
    if clone is None:
        voice = body.voice_stands_for or body.voice
        choice = await runtime.router.choose(model=body.model, voice=voice, **reach)
        caller.require_voice(choice.voice, body.voice or choice.voice)
        return choice, Need(tenant=tenant, model=choice.model, voice=choice.voice, **reach), None
    caller.require_voice(clone.voice.public_id, clone.voice.name)
    choice = await runtime.router.choose(model=body.model, features=CLONING, **reach)
    need = Need(tenant=tenant, model=choice.model, voice=None, features=CLONING, **reach)
    return replace(choice, voice=clone.voice.public_id), need, clone
