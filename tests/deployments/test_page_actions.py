"""What is done to a deployment on its page: alice owns acme, bob is a member there."""

from __future__ import annotations

import re

import pytest

from apps.accounts.models import Organization, User
from apps.deployments import services
from apps.deployments.models import Deployment
from apps.deployments.specification import Scaling
from apps.deployments.states import State
from tests.cast import acme, alice, bob, signed_in
from tests.deployments.own import NEW, demo_mode, own

__all__ = ["acme", "alice", "bob", "demo_mode"]


def buttons(html: str) -> list[str]:
    """The verbs that a page has buttons for."""
    return re.findall(r'action="/deployments/[^/"]+/(\w+)"', html)


ALLOWED = [
    (State.REQUESTED, ["stop"]),
    (State.STARTING, ["sleep", "stop"]),
    (State.READY, ["sleep", "pause", "restart", "stop"]),
    (State.ASLEEP, ["start", "pause", "stop"]),
    (State.DEGRADED, ["sleep", "pause", "restart", "stop"]),
    (State.UPDATING, ["sleep", "stop"]),
    (State.PAUSED, ["start", "stop"]),
    (State.DRAINING, []),
    (State.STOPPED, ["start"]),
]


@pytest.mark.parametrize(("state", "verbs"), ALLOWED)
def test_actions_by_state(alice: User, bob: User, acme: Organization, state: State, verbs: list[str]) -> None:
    deployment = own(acme, state=state)
    path = f"/deployments/{deployment.pk}"
    html = signed_in(alice).get(path).content.decode()
    assert buttons(html) == verbs
    assert f'href="{path}/delete"' in html
    assert ("data-refresh=" in html) is (state not in {State.PAUSED, State.STOPPED})
    assert buttons(signed_in(bob).get(path).content.decode()) == []


AFTER = [
    ("sleep", State.READY, State.ASLEEP),
    ("pause", State.READY, State.PAUSED),
    ("restart", State.READY, State.UPDATING),
    ("stop", State.READY, State.DRAINING),
    ("start", State.ASLEEP, State.STARTING),
    ("start", State.PAUSED, State.STARTING),
    ("start", State.STOPPED, State.REQUESTED),
]


@pytest.mark.parametrize(("verb", "before", "after"), AFTER)
def test_an_action_is_done_and_its_person_noted(
    alice: User, acme: Organization, verb: str, before: State, after: State
) -> None:
    deployment = own(acme, state=before)
    response = signed_in(alice).post(f"/deployments/{deployment.pk}/{verb}", follow=True)
    deployment.refresh_from_db()
    assert response.redirect_chain == [(f"/deployments/{deployment.pk}", 302)]
    assert deployment.state == after
    assert deployment.events.get().actor == alice


@pytest.mark.parametrize("verb", ["sleep", "pause", "restart", "start"])
def test_an_action_that_is_no_longer_possible_is_a_message(
    alice: User, acme: Organization, verb: str
) -> None:
    deployment = own(acme, state=State.DRAINING)
    response = signed_in(alice).post(f"/deployments/{deployment.pk}/{verb}", follow=True)
    assert response.status_code == 200
    assert "A deployment that is draining cannot become" in response.content.decode()
    deployment.refresh_from_db()
    assert deployment.state == State.DRAINING


def test_its_scaling_is_changed(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    client = signed_in(alice)
    assert 'value="900"' in client.get(f"/deployments/{deployment.pk}?tab=scaling").content.decode()
    told = {name: NEW[name] for name in services.SCALING_FIELDS}
    path = f"/deployments/{deployment.pk}/scale"
    response = client.post(path, told)
    assert response["Location"] == f"/deployments/{deployment.pk}?tab=scaling"
    deployment.refresh_from_db()
    changed = Scaling(**{name: getattr(deployment, name) for name in services.SCALING_FIELDS})
    assert changed == Scaling(0, 4, 20, 600)
    refused = client.post(path, told | {"min_replicas": "9", "scale_up_delay_seconds": "77"})
    html = refused.content.decode()
    assert refused.status_code == 400
    assert html.count("Choose 0 to 4") == 2
    assert 'value="77"' in html
    assert client.get(path)["Location"] == f"/deployments/{deployment.pk}?tab=scaling"


def test_deleting_asks_for_the_name_and_what_is_deleted_is_gone(alice: User, acme: Organization) -> None:
    deployment = own(acme, state=State.STOPPED)
    client, path = signed_in(alice), f"/deployments/{deployment.pk}"
    assert "This cannot be undone." in client.get(f"{path}/delete").content.decode()
    assert client.post(f"{path}/delete", {"name": "Reader"}).status_code == 400
    response = client.post(f"{path}/delete", {"name": "reader"}, follow=True)
    assert response.redirect_chain == [("/deployments", 302)]
    html = response.content.decode()
    assert "reader is deleted." in html
    assert "No deployments yet" in html
    for gone in (path, f"{path}?tab=api", f"{path}/delete", f"{path}/scale"):
        assert client.get(gone).status_code == 404
    assert client.post(f"{path}/start").status_code == 404


def test_what_is_being_deleted_is_shown_until_nothing_is_left_of_it(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    client, path = signed_in(alice), f"/deployments/{deployment.pk}"
    client.post(f"{path}/delete", {"name": "reader"})
    assert "Being deleted" in client.get("/deployments").content.decode()
    html = client.get(path).content.decode()
    assert "deleted as soon as nothing is left of it" in html
    assert buttons(html) == []
    assert f"{path}/delete" not in html
    Deployment.objects.update(state=State.STOPPED)
    assert client.get(path).status_code == 404
