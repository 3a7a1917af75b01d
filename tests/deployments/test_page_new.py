"""The page of a new deployment: alice owns acme."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import Organization, User
from apps.deployments.models import Deployment, GpuPrice
from tests.cast import acme, alice, signed_in
from tests.deployments.own import NEW, demo_mode, own

__all__ = ["acme", "alice", "demo_mode"]


def test_a_deployment_is_made(alice: User, acme: Organization) -> None:
    response = signed_in(alice).post("/deployments/new", NEW, follow=True)
    deployment = Deployment.objects.get()
    assert response.redirect_chain == [(f"/deployments/{deployment.pk}", 302)]
    assert "reader is on its way." in response.content.decode()
    assert (deployment.organization, deployment.provider, deployment.state) == (acme, "local", "requested")
    assert (deployment.gpu, deployment.gpu_count) == ("a6000-48gb", 2)
    assert deployment.price_per_hour == Decimal("0.25")
    assert (deployment.min_replicas, deployment.max_replicas) == (0, 4)
    assert deployment.events.get().actor == alice


def test_the_form_suggests_a_free_name_and_keeps_the_gpu_of_the_url(alice: User, acme: Organization) -> None:
    own(acme, name="speech")
    html = signed_in(alice).get("/deployments/new?gpu=a100-80gb").content.decode()
    assert 'value="speech-2"' in html
    assert re.search(r'value="a100-80gb"[^>]*checked', html)
    assert "$0.425" in html
    assert "$1.28" in html  # three replicas at most
    assert "$310.25" in html  # one of them for a month
    assert "costs nothing while it sleeps" in html
    assert "nothing is billed" in html


@pytest.mark.parametrize(
    ("kind", "is_spot", "price"),
    [
        ("serverless", "yes", "$0.52"),
        ("serverless", "no", "$1.04"),
        ("dedicated", "yes", "$0.22"),
        ("dedicated", "no", "–"),
    ],
)
def test_the_estimate_follows_what_the_provider_told(
    alice: User, acme: Organization, settings: Any, kind: str, is_spot: str, price: str
) -> None:
    settings.DEMO_MODE = False
    told = {"spot": "0.11", "serverless": "0.52", "serverless_spot": "0.26"}
    GpuPrice.objects.create(provider="verda", gpu="a6000-48gb", **told)
    refused = NEW | {"name": "Not A Name", "kind": kind, "is_spot": is_spot, "min_replicas": "1"}
    html = signed_in(alice).post("/deployments/new", refused).content.decode()
    assert f'data-estimate-of="at-min">{price}<' in html


def test_customers_are_never_offered_the_tone_engine(alice: User, acme: Organization) -> None:
    client = signed_in(alice)
    assert 'value="tone"' not in client.get("/deployments/new").content.decode()
    assert client.post("/deployments/new", NEW | {"engine": "tone"}).status_code == 400
    assert not Deployment.objects.exists()


@pytest.mark.parametrize("python", ["", "/opt/chatterbox/bin/python"])
def test_chatterbox_needs_its_python_on_this_machine(
    alice: User, acme: Organization, settings: Any, python: str
) -> None:
    settings.LOCAL_CHATTERBOX_PYTHON = python
    client = signed_in(alice)
    html = client.get("/deployments/new").content.decode()
    assert bool(re.search(r'value="chatterbox"[^>]*disabled', html)) is not bool(python)
    assert ("LOCAL_CHATTERBOX_PYTHON" in html) is not bool(python)
    response = client.post("/deployments/new", NEW | {"engine": "chatterbox"})
    assert response.status_code == (302 if python else 400)
    assert Deployment.objects.exists() is bool(python)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "Not A Name"}, "no hyphen at its ends"),
        ({"name": "taken"}, "There is already a deployment named taken."),
        ({"name": ""}, "This field is required."),
        ({"engine": ""}, "This field is required."),
        ({"gpu": "gtx-1"}, "Select a valid choice."),
        ({"gpu_count": "9"}, "Choose 1 to 8."),
        ({"max_replicas": "9" * 40}, "Choose 1 to 64."),
        ({"kind": "dedicated"}, "A dedicated instance runs at least one replica"),
        ({"min_replicas": "5"}, "Choose 0 to 4"),
        ({"max_replicas": "many"}, "Enter a whole number."),
        ({"concurrent_per_replica": "0"}, "Choose 1 to 256"),
    ],
)
def test_what_cannot_be_made_says_why_and_keeps_the_rest(
    alice: User, acme: Organization, changed: dict[str, str], said: str
) -> None:
    own(acme, name="taken")
    response = signed_in(alice).post("/deployments/new", NEW | {"scale_up_delay_seconds": "77"} | changed)
    html = response.content.decode()
    assert response.status_code == 400
    assert html.count(said) >= 2  # in the summary, and by the field
    assert 'value="77"' in html
    assert Deployment.objects.count() == 1


def test_more_than_may_run_is_refused_in_words(alice: User, acme: Organization, settings: Any) -> None:
    settings.LIMIT_DEPLOYMENTS = 1
    own(acme, name="one")
    response = signed_in(alice).post("/deployments/new", NEW)
    html = response.content.decode()
    assert response.status_code == 400
    assert "may run 1 deployments at once" in html
    assert 'value="reader"' in html


def test_elsewhere_it_takes_an_image_and_variables(alice: User, acme: Organization, settings: Any) -> None:
    client = signed_in(alice)
    assert 'name="secrets"' not in client.get("/deployments/new").content.decode()
    settings.DEMO_MODE = False
    html = client.get("/deployments/new").content.decode()
    assert 'name="secrets"' in html
    assert "LOCAL_CHATTERBOX_PYTHON" not in html
    told = {"image": "ghcr.io/acme/speech:1.2", "environment": "A=1\nB=x=y", "secrets": "T=hush"}
    refused = client.post("/deployments/new", NEW | told | {"environment": "A", "image": "speech:latest"})
    assert refused.status_code == 400
    assert "NAME=value" in refused.content.decode()
    assert client.post("/deployments/new", NEW | told).status_code == 302
    deployment = Deployment.objects.get()
    assert (deployment.provider, deployment.environment) == ("verda", {"A": "1", "B": "x=y"})
    assert deployment.secret_values == {"T": "hush"}
    shown = client.get(f"/deployments/{deployment.pk}").content.decode()
    assert "hush" not in shown
    assert "x=y" not in shown
