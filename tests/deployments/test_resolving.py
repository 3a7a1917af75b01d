"""What the router says exists: names resolved, defaults, and the difference between away and unknown."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.core.errors import InvalidRequest, NotFound, Unavailable
from apps.deployments.routing import Choice, Offer, Router
from apps.deployments.states import State
from tests.deployments.tables import deployment, found, in_database, worker

pytestmark = pytest.mark.django_db(transaction=True)


async def resolve(router: Router, organization: Organization | None = None, **asked: Any) -> Choice:
    return await router.choose(organization_id=organization.pk if organization else None, **asked)


def voices(router: Router, organization: Organization | None = None) -> list[str]:
    return [voice for offer in offers(router, organization) for voice in offer.voices]


def offers(router: Router, organization: Organization | None = None, **asked: Any) -> list[Offer]:
    return router.offers(organization.pk if organization else None, **asked)


async def test_names_are_resolved_and_unknown_ones_refused(router: Router) -> None:
    await in_database(lambda: worker(deployment(spoken={"voices": ["heart", "kore"]})))
    await router.start()
    assert await resolve(router) == Choice("hibari", "heart")
    assert await resolve(router, voice="kore") == Choice("hibari", "kore")
    assert await resolve(router, model="hibari") == Choice("hibari", "heart")
    with pytest.raises(NotFound, match=r"no voice 'nova'\. There are: heart, kore\.") as unknown:
        await resolve(router, voice="nova")
    assert (unknown.value.code, unknown.value.param) == ("voice_not_found", "voice")
    with pytest.raises(NotFound, match=r"no model 'gpt'\. There are: hibari\.") as unknown:
        await resolve(router, model="gpt", voice="heart")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize("state", [State.STARTING, State.DEGRADED, State.FAILED, State.PAUSED])
async def test_what_is_away_is_not_unknown(router: Router, state: State) -> None:
    words = {"error_code": "x", "error_message": "y"}
    await in_database(lambda: deployment(state=state, **words))
    await router.start()
    assert await resolve(router, voice="heart") == Choice("hibari", "heart")
    assert found(router) == []
    with pytest.raises(NotFound):
        await resolve(router, voice="nova")


@pytest.mark.parametrize("state", [State.REQUESTED, State.PROVISIONING, State.STARTING])
async def test_while_a_first_start_is_under_way_nothing_is_unknown(router: Router, state: State) -> None:
    await in_database(lambda: deployment(state=state, capabilities={}))
    await router.start()
    for names in ({}, {"voice": "nova"}, {"model": "gpt"}):
        with pytest.raises(Unavailable) as later:
            await resolve(router, **names)
        assert later.value.code == "no_worker_ready"
        assert "Retry-After" in later.value.headers


async def test_with_no_deployment_at_all_nothing_can_be_known(router: Router) -> None:
    await router.start()
    with pytest.raises(Unavailable):
        await resolve(router, voice="heart")
    with pytest.raises(Unavailable):
        await resolve(router)


async def test_what_was_stopped_is_unknown(router: Router) -> None:
    def make() -> None:
        worker(deployment())
        deployment("gone", state=State.STOPPED, spoken={"voices": ["kore"]})

    await in_database(make)
    await router.start()
    with pytest.raises(NotFound):
        await resolve(router, voice="kore")
    assert voices(router) == ["heart"]


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
    assert await resolve(router, acme) == Choice("second", "two")
    assert [offer.model for offer in offers(router, acme)] == ["early", "second", "hibari", "own"]
    assert [offer.model for offer in offers(router)] == ["early", "second", "hibari"]


async def test_another_organizations_voices_do_not_exist(
    router: Router, acme: Organization, globex: Organization
) -> None:
    def make() -> None:
        worker(deployment("shared"))
        worker(deployment("own", organization=acme, spoken={"voices": ["mine"]}))

    await in_database(make)
    await router.start()
    assert (await resolve(router, acme, voice="mine")).voice == "mine"
    for outsider in (globex, None):
        with pytest.raises(NotFound, match="There are: heart"):
            await resolve(router, outsider, voice="mine")
        assert voices(router, outsider) == ["heart"]
        assert found(router, outsider, voice="mine") == []


CLONE = frozenset({"clone"})


async def test_a_cloned_voice_is_for_models_that_can_clone(router: Router) -> None:
    def make() -> None:
        worker(deployment("plain"))
        worker(deployment("cloning", spoken={"models": ["chatterbox"], "features": ["clone", "tags"]}))

    await in_database(make)
    await router.start()
    assert await resolve(router, features=CLONE) == Choice("chatterbox", "")
    assert await resolve(router, model="chatterbox", features=CLONE) == Choice("chatterbox", "")
    assert [target.models for target in found(router, model="chatterbox", voice=None, features=CLONE)] == [
        ("chatterbox",)
    ]
    with pytest.raises(InvalidRequest, match="'hibari' is not fit for cloned voices") as refused:
        await resolve(router, model="hibari", features=CLONE)
    assert (refused.value.code, refused.value.param) == ("model_lacks_feature", "model")
    with pytest.raises(NotFound):
        await resolve(router, model="gpt", features=CLONE)


async def test_where_nobody_clones_there_is_no_deployment_for_it(router: Router) -> None:
    await in_database(lambda: worker(deployment()))
    await router.start()
    with pytest.raises(Unavailable) as refused:
        await resolve(router, features=CLONE)
    assert refused.value.code == "no_deployment_for_model"


@pytest.mark.parametrize("names", [{"model": "hibari"}, {"voice": "heart"}])
async def test_a_plan_without_the_shared_pool(
    router: Router, acme: Organization, names: dict[str, str]
) -> None:
    def make() -> None:
        worker(deployment("shared"))
        worker(deployment("own", organization=acme, spoken={"models": ["own"], "voices": ["mine"]}))

    await in_database(make)
    await router.start()
    assert await resolve(router, acme, may_use_shared=False) == Choice("own", "mine")
    with pytest.raises(Unavailable, match="Only the shared deployments speak this") as refused:
        await resolve(router, acme, may_use_shared=False, **names)
    assert refused.value.code == "no_deployment_for_model"
    # To wait would change nothing, and an SDK that retries every 503 is told so.
    assert refused.value.headers == {"x-should-retry": "false"}
    with pytest.raises(NotFound, match="There are: own"):
        await resolve(router, acme, may_use_shared=False, model="gpt")
    assert [offer.model for offer in offers(router, acme, may_use_shared=False)] == ["own"]


async def test_without_the_shared_pool_and_without_a_deployment(router: Router, globex: Organization) -> None:
    await in_database(lambda: worker(deployment("shared")))
    await router.start()
    for names in ({}, {"model": "hibari"}, {"model": "gpt"}):
        with pytest.raises(Unavailable, match="has no deployment") as refused:
            await resolve(router, globex, may_use_shared=False, **names)
        assert refused.value.code == "no_deployment_for_model"


async def test_while_ones_own_first_deployment_starts_it_may_come_to_speak_it(
    router: Router, acme: Organization
) -> None:
    def make() -> None:
        worker(deployment("shared"))
        deployment("own", organization=acme, state=State.STARTING, capabilities={})

    await in_database(make)
    await router.start()
    with pytest.raises(Unavailable) as later:
        await resolve(router, acme, may_use_shared=False, model="hibari")
    assert later.value.code == "no_worker_ready"


async def test_offers_tell_what_all_deployments_of_a_model_can_do(router: Router, acme: Organization) -> None:
    def make() -> None:
        deployment("shared", state=State.ASLEEP, spoken={"languages": ["en"]})
        own = {"voices": ["heart", "mine"], "languages": ["en", "ja"], "features": ["clone"]}
        worker(deployment("own", organization=acme, spoken=own))
        deployment("turbo", engine="chatterbox-turbo", spoken={"models": ["turbo"]})

    await in_database(make)
    await router.start()
    hibari, turbo = offers(router, acme)
    assert (hibari.model, hibari.engine, hibari.voices) == ("hibari", "cpu", ("heart", "mine"))
    assert (hibari.languages, hibari.features) == (("en", "ja"), CLONE)
    assert (hibari.is_ready, hibari.is_shared) == (True, True)
    assert (turbo.model, turbo.engine, turbo.is_ready) == ("turbo", "chatterbox-turbo", False)
    assert [offer.is_ready for offer in offers(router)] == [False, False]
    assert [offer.model for offer in offers(router, engine="cpu")] == ["hibari"]


async def test_a_worker_that_became_ready_since_the_table_was_read_is_not_missed(router: Router) -> None:
    await router.start()
    await in_database(lambda: worker(deployment()))
    assert await resolve(router) == Choice("hibari", "heart")
