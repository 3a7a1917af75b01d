"""Pages of deployments and GPUs, read: alice owns acme, bob is a member there, charlie is an outsider."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.models import Organization, User
from apps.deployments import services
from apps.deployments.models import Deployment, GpuPrice, Worker
from apps.deployments.states import State
from tests.cast import acme, alice, bob, charlie, globex, signed_in
from tests.deployments.own import demo_mode, own
from tests.deployments.tables import deployment as row
from tests.deployments.tables import worker

__all__ = ["acme", "alice", "bob", "charlie", "demo_mode", "globex"]


def test_without_deployments_the_list_says_what_one_is(alice: User, acme: Organization) -> None:
    row(name="shared-cpu")
    html = signed_in(alice).get("/deployments").content.decode()
    assert "No deployments yet" in html
    assert 'href="/deployments/new"' in html
    assert "shared-cpu" in html
    assert "platform's" in html


def test_the_list_shows_state_replicas_price_and_use(alice: User, acme: Organization) -> None:
    deployment = own(acme, gpu="a6000-48gb", gpu_count=2, price_per_hour="0.250", desired_replicas=2)
    worker(deployment)
    own(acme, name="stopped", state=State.STOPPED, price_per_hour="0.250")
    own(acme, name="unpriced")
    html = signed_in(alice).get("/deployments").content.decode()
    assert f'href="/deployments/{deployment.pk}">reader</a>' in html
    assert "1 of 2" in html
    assert "2 × RTX A6000 48 GB" in html
    assert "$0.50 <" in html
    assert "$0.00 <" in html
    assert "0 of 0" in html


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["two", "one"]),
        ("q=ONE", ["one"]),
        ("state=failed", ["two"]),
        ("engine=chatterbox", ["two"]),
        ("state=nonsense", ["two", "one"]),
        ("q=nothing-like-it", []),
    ],
)
def test_the_url_filters(alice: User, acme: Organization, query: str, names: list[str]) -> None:
    own(acme, name="one")
    own(acme, name="two", engine="chatterbox", state=State.FAILED, error_code="c", error_message="m")
    html = signed_in(alice).get(f"/deployments?{query}").content.decode()
    assert re.findall(r'class="strong" href="/deployments/[^"]+">(\w+)<', html) == names


def test_queries_do_not_grow_with_deployments(
    alice: User, acme: Organization, django_assert_num_queries: Any
) -> None:
    for number in range(30):
        worker(own(acme, name=f"d{number}"))
        row(name=f"shared-{number}")
    client = signed_in(alice)
    with django_assert_num_queries(9):
        html = client.get("/deployments").content.decode()
    assert "1–25 of 30 deployments" in html
    deployment = Deployment.objects.for_organization(acme).first()
    for number in range(30):
        worker(deployment, name=f"more-{number}")
        deployment.events.create(to_state=State.READY, reason="Again.", actor=alice)
    with django_assert_num_queries(9):
        client.get(f"/deployments/{deployment.pk}")


def test_a_list_is_looked_at_again_only_while_something_moves(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    client = signed_in(alice)
    assert "data-refresh=" not in client.get("/deployments").content.decode()
    Deployment.objects.filter(pk=deployment.pk).update(state=State.STARTING)
    assert "data-refresh=" in client.get("/deployments").content.decode()


def test_its_page_tells_what_is_and_was_and_no_secret_of_a_worker(alice: User, acme: Organization) -> None:
    deployment = own(acme, gpu="a100-40gb", price_per_hour="0.238", desired_replicas=1)
    worker(deployment, url="http://10.0.0.7:81", token="worker-token")
    services.pause_deployment(deployment, by=alice)
    services.start_deployment(deployment, reason="Resumed.")
    html = signed_in(alice).get(f"/deployments/{deployment.pk}").content.decode()
    assert "http://testserver/generate" in html
    assert "A100 40 GB" in html
    assert "$0.238" in html
    assert re.search(r"Paused</span>.*by Alice", html, re.DOTALL)
    assert "by the platform</p>" in html
    assert "none for this page" in html
    assert "worker-token" not in html
    assert "10.0.0.7" not in html


def test_staff_are_named_to_nobody(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    services.pause_deployment(deployment, by=User.objects.create_superuser("root@example.com", name="Root"))
    html = signed_in(alice).get(f"/deployments/{deployment.pk}").content.decode()
    assert "by platform staff" in html
    assert "Root" not in html


def test_a_failure_says_why_and_what_helps(alice: User, acme: Organization) -> None:
    deployment = own(
        acme, state=State.FAILED, error_code="worker_crashed", error_message="Its last words: no torch"
    )
    html = signed_in(alice).get(f"/deployments/{deployment.pk}").content.decode()
    assert "Its last words: no torch" in html
    assert "worker_crashed" in html
    assert "start it again" in html


def test_a_worker_that_is_lost_is_not_shown(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    worker(deployment, "lost-1", state=Worker.State.LOST)
    assert "lost-1" not in signed_in(alice).get(f"/deployments/{deployment.pk}").content.decode()


def test_its_sample_names_what_it_speaks(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    client = signed_in(alice)
    path = f"/deployments/{deployment.pk}?tab=speak"
    html = client.get(path).content.decode()
    assert "http://testserver/generate" in html
    assert "hibari" in html
    assert 'href="/playground"' in html
    Deployment.objects.update(capabilities={})
    assert "not known yet" in client.get(path).content.decode()


def test_its_api_calls_are_shown_and_found(alice: User, acme: Organization) -> None:
    deployment = own(acme)
    client = signed_in(alice)
    html = client.get(f"/deployments/{deployment.pk}?tab=api").content.decode()
    url = f"http://testserver/api/deployments/{deployment.pk}"
    assert f"curl {url}" in html
    assert f"curl -X DELETE {url}" in html
    assert client.get(url).json()["name"] == "reader"


def test_a_member_reads_and_cannot_touch(bob: User, acme: Organization) -> None:
    deployment = own(acme)
    client, path = signed_in(bob), f"/deployments/{deployment.pk}"
    tabs = (f"{path}?tab={tab}" for tab in ("scaling", "speak", "update"))
    for page in ("/deployments", "/deployments/budget", path, f"{path}/requests", *tabs, "/gpus"):
        response = client.get(page)
        assert response.status_code == 200
        assert "/deployments/new" not in response.content.decode()
    assert client.get("/deployments/new").status_code == 403
    for action in ("start", "sleep", "pause", "restart", "stop", "scale", "update", "delete"):
        assert client.post(f"{path}/{action}", {"name": "reader"}).status_code == 403
    deployment.refresh_from_db()
    assert (deployment.state, deployment.deleted_at) == (State.READY, None)


def test_another_organizations_deployment_is_not_there(
    acme: Organization, charlie: User, globex: Organization
) -> None:
    ours, shared = own(acme), row(name="shared-cpu")
    client = signed_in(charlie)
    assert "reader" not in client.get("/deployments").content.decode()
    for pk in (ours.pk, shared.pk, uuid4()):
        for action in ("", "/scale", "/update", "/requests", "/delete"):
            assert client.get(f"/deployments/{pk}{action}").status_code == 404
        for action in ("start", "sleep", "pause", "restart", "stop", "update", "delete"):
            assert client.post(f"/deployments/{pk}/{action}", {"name": "reader"}).status_code == 404
    assert set(Deployment.objects.values_list("state", flat=True)) == {State.READY}


def test_the_overview_leads_to_ones_own(alice: User, acme: Organization) -> None:
    deployment, shared = own(acme), row(name="shared-cpu")
    html = signed_in(alice).get("/").content.decode()
    assert f'href="/deployments/{deployment.pk}"' in html
    assert f'href="/deployments/{shared.pk}"' not in html


def test_gpus_have_a_price_and_a_way_to_deploy_on_them(alice: User, acme: Organization) -> None:
    html = signed_in(alice).get("/gpus").content.decode()
    assert html.count('href="/deployments/new?gpu=') == 5
    assert "$0.076" in html
    assert "16 GB" in html
    assert "nothing is billed" in html


def test_gpus_show_what_the_provider_told(alice: User, acme: Organization, settings: Any) -> None:
    settings.DEMO_MODE = False
    GpuPrice.objects.create(
        provider="verda", gpu="a100-40gb", on_demand="1.29", spot="0.31", locations=["FIN-01"]
    )
    html = signed_in(alice).get("/gpus").content.decode()
    assert "$0.31" in html
    assert "$1.29" in html
    assert "FIN-01" in html
    assert "spot, now" in html
