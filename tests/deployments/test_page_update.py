"""Image, variables and secrets on a deployment's page: alice owns acme, bob is a member there."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Organization, User
from apps.deployments.models import Deployment
from apps.deployments.states import State
from tests.cast import acme, alice, bob, signed_in
from tests.deployments.own import demo_mode, own

__all__ = ["acme", "alice", "bob", "demo_mode"]
SECRET = "hush-4711"


@pytest.fixture
def remote(acme: Organization) -> Deployment:
    deployment = own(
        acme, provider="verda", image="ghcr.io/acme/speech:1.2.0", environment={"LEVEL": "debug", "MODE": "a"}
    )
    deployment.desired_replicas = 1
    deployment.keep_secrets({"HF_TOKEN": SECRET, "OLD": f"{SECRET}-old"})
    deployment.save()
    return deployment


def form_of(deployment: Deployment, **fields: Any) -> dict[str, Any]:
    lines = "\n".join(f"{name}={value}" for name, value in deployment.environment.items())
    unchanged = {"image": deployment.image, "environment": lines, "generation": deployment.generation}
    return unchanged | {"secrets": ""} | fields


def path_of(deployment: Deployment) -> str:
    return f"/deployments/{deployment.pk}/update"


def test_a_deployment_of_this_machine_has_nothing_to_set(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    client = signed_in(alice)
    html = client.get(f"/deployments/{deployment.pk}?tab=update").content.decode()
    assert "There is nothing to set" in html
    assert "/update" not in html
    response = client.post(path_of(deployment), form_of(deployment, image="ghcr.io/acme/speech:2"))
    assert response.status_code == 400
    deployment.refresh_from_db()
    assert deployment.image == ""


def test_secrets_are_named_and_never_shown(alice: User, remote: Deployment) -> None:
    html = signed_in(alice).get(f"/deployments/{remote.pk}?tab=update").content.decode()
    assert 'value="ghcr.io/acme/speech:1.2.0"' in html
    assert "LEVEL=debug\nMODE=a" in html
    assert "HF_TOKEN" in html
    assert "new ones are ready before the old ones end" in html
    assert SECRET not in html


def test_all_of_it_is_changed_and_workers_replaced(alice: User, remote: Deployment) -> None:
    told = form_of(
        remote,
        image="ghcr.io/acme/speech:1.3.0",
        environment="LEVEL=info\nNEW=1=2",
        secrets="HF_TOKEN=other\nFRESH=x",
        removed=["OLD"],
    )
    response = signed_in(alice).post(path_of(remote), told, follow=True)
    assert response.redirect_chain == [(f"/deployments/{remote.pk}?tab=update", 302)]
    assert "new workers are ready before the old ones end" in response.content.decode()
    remote.refresh_from_db()
    assert (remote.image, remote.state) == ("ghcr.io/acme/speech:1.3.0", State.UPDATING)
    assert remote.environment == {"LEVEL": "info", "NEW": "1=2"}
    assert remote.secret_values == {"HF_TOKEN": "other", "FRESH": "x"}
    assert remote.events.get().actor == alice


def test_what_is_so_already_replaces_no_worker(alice: User, remote: Deployment) -> None:
    response = signed_in(alice).post(path_of(remote), form_of(remote), follow=True)
    assert "It is so already." in response.content.decode()
    before = remote.generation
    remote.refresh_from_db()
    assert (remote.generation, remote.state) == (before, State.READY)


def test_one_that_sleeps_takes_it_up_later(alice: User, remote: Deployment) -> None:
    Deployment.objects.update(state=State.ASLEEP, desired_replicas=0)
    response = signed_in(alice).post(path_of(remote), form_of(remote, image=""), follow=True)
    assert "takes it up when it starts" in response.content.decode()
    remote.refresh_from_db()
    assert (remote.image, remote.state) == ("", State.ASLEEP)


WRONG = [
    ({"image": "speech"}, "Name an image with its tag"),
    ({"image": "ghcr.io/acme/speech:latest"}, "changes under you"),
    ({"environment": "LEVEL"}, "Write each on a line of its own"),
    ({"environment": "PORT=1"}, "PORT is set by the platform."),
    ({"environment": "1A=1"}, "is no name of a variable"),
    ({"secrets": "KEEP=x"}, "both in the open and secret"),
    ({"secrets": "OLD=x", "removed": ["OLD"]}, "OLD is both set and removed."),
    ({"removed": ["NOT_THERE"]}, "Select a valid choice"),
]


@pytest.mark.parametrize(("fields", "told"), WRONG)
def test_what_is_refused_stands_by_its_field_and_nothing_is_lost(
    alice: User, remote: Deployment, fields: dict[str, Any], told: str
) -> None:
    typed = {"image": "ghcr.io/acme/speech:9", "environment": "KEEP=this", "secrets": "TYPED=now"} | fields
    response = signed_in(alice).post(path_of(remote), form_of(remote, **typed))
    html = response.content.decode()
    assert response.status_code == 400
    assert told in html
    assert 'class="field-error"' in html
    for name in {"image", "environment", "secrets"}:
        assert typed[name] in html
    assert SECRET not in html
    before = (remote.image, remote.environment, remote.secret_values, remote.generation)
    remote.refresh_from_db()
    assert (remote.image, remote.environment, remote.secret_values, remote.generation) == before


def test_all_that_is_wrong_is_said_at_once(alice: User, remote: Deployment) -> None:
    wrong = form_of(remote, image="x", environment="PORT=1", secrets="HOST=1")
    html = signed_in(alice).post(path_of(remote), wrong).content.decode()
    assert "3 fields need another look." in html


def test_what_somebody_else_changed_meanwhile_is_not_undone_unseen(alice: User, remote: Deployment) -> None:
    stale = form_of(remote, environment="LEVEL=warning")
    Deployment.objects.update(generation=remote.generation + 1)
    client = signed_in(alice)
    response = client.post(path_of(remote), stale)
    html = response.content.decode()
    assert response.status_code == 400
    assert "It was changed meanwhile." in html
    assert "LEVEL=warning" in html
    assert f'name="generation" value="{remote.generation + 1}"' in html
    assert client.post(path_of(remote), stale | {"generation": remote.generation + 1}).status_code == 302


def test_a_value_of_several_lines_stays_as_it_is(alice: User, remote: Deployment) -> None:
    remote.environment = {"CERT": "one\ntwo", "LEVEL": "debug"}
    remote.save()
    client = signed_in(alice)
    html = client.get(f"/deployments/{remote.pk}?tab=update").content.decode()
    assert "does not fit into a line" in html
    client.post(path_of(remote), form_of(remote, environment="LEVEL=info"))
    remote.refresh_from_db()
    assert remote.environment == {"CERT": "one\ntwo", "LEVEL": "info"}


def test_a_member_reads_names_and_changes_nothing(bob: User, remote: Deployment) -> None:
    client = signed_in(bob)
    html = client.get(f"/deployments/{remote.pk}?tab=update").content.decode()
    assert "HF_TOKEN" in html
    assert "Owners and admins change these." in html
    assert 'type="submit">Update' not in html
    assert client.post(path_of(remote), form_of(remote, image="")).status_code == 403


def test_what_is_being_deleted_takes_no_change(alice: User, remote: Deployment) -> None:
    client = signed_in(alice)
    client.post(f"/deployments/{remote.pk}/delete", {"name": "reader"})
    html = client.get(f"/deployments/{remote.pk}?tab=update").content.decode()
    assert "It is being deleted." in html
    remote.refresh_from_db()
    response = client.post(path_of(remote), form_of(remote, image=""))
    assert response.status_code == 400
    assert client.get(path_of(remote))["Location"] == f"/deployments/{remote.pk}?tab=update"
