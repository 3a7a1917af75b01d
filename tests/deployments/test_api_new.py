"""POST /api/deployments: what can be asked for, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from apps.accounts.models import Organization
from apps.deployments.models import Deployment, GpuPrice
from apps.deployments.states import State
from tests.cast import acme, alice
from tests.deployments.managed import PATH, SECRET, one_in, path_of
from tests.keys.api_client import ApiClient, error_of

__all__ = ["acme", "alice"]

NEW = {"name": "speech", "engine": "cpu"}


@pytest.fixture
def api(acme: Organization) -> ApiClient:
    return ApiClient(acme)


@pytest.fixture
def live(settings: Any) -> None:
    settings.DEMO_MODE = False


def test_what_is_left_out_is_a_serverless_containers(acme: Organization, api: ApiClient) -> None:
    response = api.post(PATH, NEW)
    assert response.status_code == 201
    told = response.json()
    assert (told["name"], told["state"], told["kind"], told["provider"]) == (
        "speech",
        "requested",
        "serverless",
        "local",
    )
    assert (told["min_replicas"], told["max_replicas"], told["replicas"]["desired"]) == (0, 3, 1)
    made = Deployment.objects.get()
    assert (made.organization, str(made.pk)) == (acme, told["id"])
    assert api.get(path_of(made)).json() == told


@pytest.mark.parametrize(
    ("asked", "bounds"),
    [({}, (1, 1)), ({"min_replicas": 2}, (2, 2)), ({"max_replicas": 4}, (1, 4))],
)
def test_a_dedicated_instance_is_one_where_nothing_is_said(
    api: ApiClient, asked: dict[str, int], bounds: tuple[int, int]
) -> None:
    told = api.post(PATH, NEW | {"kind": "dedicated"} | asked).json()
    assert (told["min_replicas"], told["max_replicas"]) == bounds


@pytest.mark.usefixtures("live")
def test_everything_that_can_be_asked_for(api: ApiClient) -> None:
    GpuPrice.objects.create(provider="verda", gpu="h100-80gb", serverless_spot=Decimal("0.85"))
    asked = {
        "name": "all",
        "engine": "chatterbox-turbo",
        "kind": "serverless",
        "provider": "verda",
        "image": "ghcr.io/acme/speech:1.2.0",
        "gpu": "h100-80gb",
        "gpu_count": 2,
        "is_spot": True,
        "location": "FIN-01",
        "environment": {"LEVEL": " info "},
        "min_replicas": 1,
        "max_replicas": 4,
        "scale_up_delay_seconds": 5,
        "scale_down_delay_seconds": 60,
        "concurrent_per_replica": 8,
    }
    response = api.post(PATH, asked | {"secrets": {"HUB_TOKEN": SECRET}})
    assert response.status_code == 201
    told = response.json()
    assert {name: told[name] for name in asked} == asked
    assert (told["secrets"], told["price_per_hour"]) == (["HUB_TOKEN"], "1.7000")
    assert SECRET not in response.content.decode()
    assert Deployment.objects.get().secret_values == {"HUB_TOKEN": SECRET}


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"name": None}, "name"),
        ({"name": "Not A Name"}, "name"),
        ({"name": "x" * 64}, "name"),
        ({"name": ["x"]}, "name"),
        ({"engine": "flute"}, "engine"),
        ({"engine": "tone"}, "engine"),
        ({"kind": "odd"}, "kind"),
        ({"provider": "moon"}, "provider"),
        ({"provider": "verda"}, "provider"),
        ({"gpu": "abacus"}, "gpu"),
        ({"gpu_count": 9}, "gpu_count"),
        ({"is_spot": "perhaps"}, "is_spot"),
        ({"image": "ghcr.io/acme/speech:1.0"}, "image"),
        ({"location": "FIN-01"}, "location"),
        ({"environment": {"A": "b"}}, "environment"),
        ({"environment": ["A"]}, "environment"),
        ({"secrets": {"A": SECRET}}, "secrets"),
        ({"secrets": {"A": None}}, "secrets.A"),
        ({"secrets": SECRET}, "secrets"),
        ({"min_replicas": -1}, "min_replicas"),
        ({"min_replicas": 4}, "min_replicas"),
        ({"min_replicas": 0, "kind": "dedicated"}, "min_replicas"),
        ({"max_replicas": 0}, "max_replicas"),
        ({"max_replicas": 65}, "max_replicas"),
        ({"max_replicas": "many"}, "max_replicas"),
        ({"max_replicas": None}, "max_replicas"),
        ({"scale_up_delay_seconds": 86401}, "scale_up_delay_seconds"),
        ({"scale_down_delay_seconds": 1.5}, "scale_down_delay_seconds"),
        ({"concurrent_per_replica": 0}, "concurrent_per_replica"),
        ({"replicas": 2}, "replicas"),
        ({"price_per_hour": "0"}, "price_per_hour"),
        ({"organization": str(uuid4())}, "organization"),
        ({"half\ud800": 1}, "half?"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(
    api: ApiClient, changed: dict[str, Any], param: str
) -> None:
    response = api.post(PATH, NEW | changed)
    error = error_of(response, 400)
    assert (error["code"], error["param"]) == ("invalid_request", param)
    assert SECRET not in response.content.decode()
    assert not Deployment.objects.exists()


def test_chatterbox_on_this_machine_wants_a_python_for_it(api: ApiClient, settings: Any) -> None:
    settings.LOCAL_CHATTERBOX_PYTHON = ""
    asked = NEW | {"engine": "chatterbox-turbo"}
    error = error_of(api.post(PATH, asked), 400)
    assert (error["code"], error["param"]) == ("invalid_request", "engine")
    assert "LOCAL_CHATTERBOX_PYTHON" in error["message"]
    assert not Deployment.objects.exists()
    settings.LOCAL_CHATTERBOX_PYTHON = "/opt/chatterbox/bin/python"
    assert api.post(PATH, asked).status_code == 201


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"provider": "local"}, "provider"),
        ({"image": "ghcr.io/acme/speech:latest"}, "image"),
        ({"image": "no image"}, "image"),
        ({"location": "x" * 17}, "location"),
        ({"environment": {"A": "b"}, "secrets": {"A": SECRET}}, "secrets"),
        ({"environment": {"PORT": "1"}}, "environment"),
        ({"secrets": {"no name": SECRET}}, "secrets"),
        ({"secrets": {"WORKER_TOKEN": SECRET}}, "secrets"),
        ({"secrets": {"half\ud800": SECRET}}, "secrets"),
        ({"secrets": {"LONG": SECRET * 400}}, "secrets.LONG"),
        ({"secrets": {f"N{number}": SECRET for number in range(51)}}, "secrets"),
    ],
)
def test_what_a_provider_would_not_take(api: ApiClient, changed: dict[str, Any], param: str) -> None:
    response = api.post(PATH, NEW | changed)
    assert error_of(response, 400)["param"] == param
    assert SECRET not in response.content.decode()
    assert not Deployment.objects.exists()


def test_a_body_that_is_no_object_of_json(acme: Organization, api: ApiClient) -> None:
    for method, path in ((api.post, PATH), (api.patch, path_of(one_in(acme, State.READY)))):
        assert error_of(method(path, ["name"]), 400)["code"] == "invalid_request"
    for body in (b"{", b'{"name": NaN}', b"[" * 100_000):
        assert error_of(api.post(PATH, body), 400)["code"] == "invalid_json"
    key = {"X-API-Key": api.issued.secret}
    form = Client().post(PATH, {"name": "x"}, headers=key)
    assert error_of(form, 415)["code"] == "unsupported_media_type"


def test_a_taken_name_and_a_full_house(acme: Organization, api: ApiClient, settings: Any) -> None:
    settings.LIMIT_DEPLOYMENTS = 2
    assert api.post(PATH, NEW).status_code == 201
    assert error_of(api.post(PATH, NEW), 409)["code"] == "name_taken"
    assert api.post(PATH, NEW | {"name": "other"}).status_code == 201
    assert error_of(api.post(PATH, NEW | {"name": "third"}), 409)["code"] == "too_many_deployments"
    assert Deployment.objects.count() == 2
