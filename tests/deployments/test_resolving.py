"""What the router says exists: names resolved, defaults, and the difference between away and unknown."""

from __future__ import annotations

import pytest

from apps.accounts.models import Organization
from apps.core.errors import NotFound, Unavailable
from apps.deployments.routing import Choice, Router
from apps.deployments.states import State
from tests.deployments.tables import deployment, found, in_database, worker

pytestmark = pytest.mark.django_db(transaction=True)


def resolve(router: Router, organization: Organization | None = None, **names: str) -> Choice:
    return router.resolve(organization_id=organization.pk if organization else None, **names)


async def test_names_are_resolved_and_unknown_ones_refused(router: Router) -> None:
    await in_database(lambda: worker(deployment(spoken={"voices": ["heart", "kore"]})))
    await router.start()
    assert resolve(router) == Choice("hibari", "heart")
    assert resolve(router, voice="kore") == Choice("hibari", "kore")
    assert resolve(router, model="hibari") == Choice("hibari", "heart")
    with pytest.raises(NotFound, match=r"no voice 'nova'\. There are: heart, kore\.") as unknown:
        resolve(router, voice="nova")
    assert (unknown.value.code, unknown.value.param) == ("voice_not_found", "voice")
    with pytest.raises(NotFound, match=r"no model 'gpt'\. There are: hibari\.") as unknown:
        resolve(router, model="gpt", voice="heart")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize("state", [State.STARTING, State.DEGRADED, State.FAILED, State.PAUSED])
async def test_what_is_away_is_not_unknown(router: Router, state: State) -> None:
    words = {"error_code": "x", "error_message": "y"}
    await in_database(lambda: deployment(state=state, **words))
    await router.start()
    assert resolve(router, voice="heart") == Choice("hibari", "heart")
    assert found(router) == []
    with pytest.raises(NotFound):
        resolve(router, voice="nova")


@pytest.mark.parametrize("state", [State.REQUESTED, State.PROVISIONING, State.STARTING])
async def test_while_a_first_start_is_under_way_nothing_is_unknown(router: Router, state: State) -> None:
    await in_database(lambda: deployment(state=state, capabilities={}))
    await router.start()
    for names in ({}, {"voice": "nova"}, {"model": "gpt"}):
        with pytest.raises(Unavailable) as later:
            resolve(router, **names)
        assert later.value.code == "no_worker_ready"
        assert "Retry-After" in later.value.headers


async def test_with_no_deployment_at_all_nothing_can_be_known(router: Router) -> None:
    await router.start()
    with pytest.raises(Unavailable):
        resolve(router, voice="heart")
    assert router.default_for(None) is None


async def test_what_was_stopped_is_unknown(router: Router) -> None:
    def make() -> None:
        worker(deployment())
        deployment("gone", state=State.STOPPED, spoken={"voices": ["kore"]})

    await in_database(make)
    await router.start()
    with pytest.raises(NotFound):
        resolve(router, voice="kore")
    assert router.voices(None) == ["heart"]


async def test_the_default_is_that_of_the_first_ready_shared_deployment(
    router: Router, acme: Organization
) -> None:
    def make() -> None:
        deployment("first", state=State.STARTING, spoken={"models": ["early"]})
        worker(deployment("second", spoken={"models": ["second"], "voices": ["two"]}))
        worker(deployment("third"))
        worker(deployment("own", organization=acme, spoken={"models": ["own"], "voices": ["mine"]}))

    await in_database(make)
    await router.start()
    assert router.default_for(acme.pk) == Choice("second", "two")
    assert router.models(acme.pk) == ["early", "second", "hibari", "own"]
    assert router.voices(acme.pk, model="own") == ["mine"]
    assert router.models(None) == ["early", "second", "hibari"]


async def test_another_organizations_voices_do_not_exist(
    router: Router, acme: Organization, globex: Organization
) -> None:
    def make() -> None:
        worker(deployment("shared"))
        worker(deployment("own", organization=acme, spoken={"voices": ["mine"]}))

    await in_database(make)
    await router.start()
    assert resolve(router, acme, voice="mine").voice == "mine"
    for outsider in (globex, None):
        with pytest.raises(NotFound, match="There are: heart"):
            resolve(router, outsider, voice="mine")
        assert router.voices(outsider.pk if outsider else None) == ["heart"]
        assert found(router, outsider, voice="mine") == []
