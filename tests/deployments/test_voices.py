"""What deployments offer becomes the voices that people see; what staff suspended is offered to nobody."""

from __future__ import annotations

import pytest

from apps.accounts.models import Organization
from apps.core.errors import NotFound
from apps.deployments.catalogue import Need, read_table
from apps.deployments.resolving import resolve
from apps.deployments.states import State
from apps.deployments.voices import tell_of_voices
from apps.voices.models import Voice
from apps.voices.services import suspend_voice, unsuspend_voice
from tests.deployments.tables import deployment, worker

TONE = {"engine": "tone", "models": ["tone"], "voices": ["tone"]}


def shown_to(organization: Organization) -> set[str]:
    return {voice.public_id for voice in Voice.objects.visible_to(organization)}


def test_voices_are_those_of_deployments_that_nobody_ended(acme: Organization, globex: Organization) -> None:
    shared, own = deployment(), deployment("own", organization=acme, spoken=TONE)
    deployment("new", spoken={"models": [], "voices": []}, capabilities={}, state=State.REQUESTED)
    tell_of_voices()
    assert shown_to(acme) == {*shared.capabilities["voices"], "tone"}
    assert shown_to(globex) == set(shared.capabilities["voices"])
    own.state = State.STOPPED
    own.save()
    tell_of_voices()
    assert shown_to(acme) == shown_to(globex) == set(shared.capabilities["voices"])


@pytest.mark.parametrize("owned", [False, True])
def test_a_suspended_voice_no_longer_exists(acme: Organization, owned: bool) -> None:
    made = deployment(organization=acme if owned else None, spoken={"voices": ["heart", "kore"]})
    worker(made)
    voice = Voice.objects.create(category="premade", engine_voice="heart", name="Heart")
    suspend_voice(voice=voice, reason="A complaint.")
    table = read_table()
    with pytest.raises(NotFound) as caught:
        resolve(table, organization_id=acme.pk, model=None, voice="heart")
    assert caught.value.code == "voice_not_found"
    assert resolve(table, organization_id=acme.pk, model="hibari", voice=None).voice == "kore"
    need = Need(organization_id=acme.pk, tenant=acme.pk, model="hibari", voice="kore")
    (target,) = (target for group in table.target_groups(need) for target in group)
    assert target.voices == {"kore"}
    unsuspend_voice(voice=voice)
    assert resolve(read_table(), organization_id=acme.pk, model=None, voice="heart").voice == "heart"
