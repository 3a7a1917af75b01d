"""Hardware and its prices, against the stand-in."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.deployments.providers.verda import VerdaClient
from apps.deployments.providers.verda.catalogue import join
from apps.deployments.providers.verda.errors import NotFound, NotUnderstood
from apps.deployments.providers.verda.types import Gpu, Location
from tests.deployments.verda.conftest import Make
from tests.deployments.verda.scripted import Reply, Scripted
from tests.fakes.verda import FakeVerda

TOKEN = b'{"access_token": "one", "expires_in": 100}'


def gpu_of(gpus: list[Gpu], instance_type: str) -> Gpu:
    [gpu] = [gpu for gpu in gpus if gpu.instance_type == instance_type]
    return gpu


def test_hardware_is_joined(client: VerdaClient, verda: FakeVerda) -> None:
    assert gpu_of(client.get_available_gpus(), "1A100.40S.22V") == Gpu(
        name="A100 40GB",
        model="A100 SXM4",
        count=1,
        memory_gb=40,
        currency="usd",
        compute_name="A100 40GB",
        compute_size=1,
        serverless_available=True,
        serverless_price=Decimal("0.951"),
        serverless_spot_price=Decimal("0.238"),
        instance_type="1A100.40S.22V",
        instance_price=Decimal("0.951"),
        instance_spot_price=Decimal("0.238"),
        locations=("FIN-01", "FIN-03"),
        spot_locations=("FIN-01", "FIN-03"),
    )
    assert verda.calls.count("/instance-availability") == 2


def test_what_is_taken_is_not_available(client: VerdaClient, verda: FakeVerda) -> None:
    offer = verda.hardware["1H100.80S.32V"]
    offer.available = False
    offer.locations = ("FIN-02",)
    gpu = gpu_of(client.get_available_gpus(), "1H100.80S.32V")
    assert not gpu.serverless_available
    assert (gpu.locations, gpu.spot_locations) == ((), ("FIN-02",))


def test_prices_drift(client: VerdaClient, verda: FakeVerda) -> None:
    verda.hardware["1V100.6V"].spot_price = Decimal("0.0801")
    gpu = gpu_of(client.get_available_gpus("eur"), "1V100.6V")
    assert (gpu.serverless_spot_price, gpu.instance_spot_price) == (Decimal("0.0801"), Decimal("0.0801"))
    assert gpu.currency == "eur"
    assert verda.calls.to("/container-types")[0].query == {"currency": "eur"}


def test_a_price_that_is_missing_is_none(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add("/container-types", kind="missing_fields", names=("serverless_price", "manufacturer"))
    verda.faults.add("/instance-types", kind="extra_fields")
    gpu = gpu_of(client.get_available_gpus(), "1V100.6V")
    assert gpu.serverless_price is None
    assert gpu.instance_price == Decimal("0.152")


def answers(**differing: bytes) -> list[Reply]:
    """Of the five calls, in the order they are sent."""
    container = (
        b'[{"name":"RTX 4500 Ada 24GB","model":"RTX4500Ada","instance_type":"","gpu":{"number_of_gpus":1},'
        b'"gpu_memory":{"size_in_gigabytes":24},"serverless_price":0.35,"serverless_spot_price":"",'
        b'"currency":"USD"},'
        b'{"name":"CPU Node","model":"CPUNode","gpu":{"number_of_gpus":0},"serverless_price":"0.01"}]'
    )
    machines = (
        b'[{"instance_type":"8H100.80S.176V","model":"H100","gpu":{"number_of_gpus":8},'
        b'"gpu_memory":{"size_in_gigabytes":640},"price_per_hour":"18.32","spot_price":"6.8"},'
        b'{"instance_type":"CPU.4V.16G","model":"CPU","price_per_hour":"0.03"}]'
    )
    given = {
        "containers": container,
        "machines": machines,
        "resources": b'[{"name":"RTX4500Ada","size":1,"is_available":true},{"name":"CPUNode","size":4}]',
        "on_demand": b'[{"location_code":"ICE-01","availabilities":["8H100.80S.176V"]}]',
        "spot": b"[]",
    } | differing
    return [Reply(body=body) for body in (TOKEN, *given.values())]


def test_what_is_rented_in_one_way_only_is_listed_too(make: Make) -> None:
    with Scripted(*answers()) as server:
        machine, serverless = make(base_url=server.url).get_available_gpus()
    assert (machine.name, machine.count, machine.memory_gb) == ("H100", 8, 640)
    assert (machine.compute_name, machine.serverless_price) == ("", None)
    assert (machine.locations, machine.spot_locations) == (("ICE-01",), ())
    assert (serverless.name, serverless.compute_name, serverless.compute_size) == (
        "RTX 4500 Ada 24GB",
        "RTX4500Ada",
        1,
    )
    assert (serverless.serverless_price, serverless.serverless_spot_price) == (Decimal("0.35"), None)
    assert serverless.instance_price is None


@pytest.mark.parametrize(
    "differing",
    [
        {"containers": b'{"not": "a list"}'},
        {"machines": b'[{"price_per_hour":"a lot"}]'},
        {"machines": b'[{"price_per_hour":"NaN"}]'},
        {"machines": b'[{"gpu":{"number_of_gpus":"many"}}]'},
        {"machines": b'[{"gpu":{"number_of_gpus":1e999999999}}]'},
        {"resources": b"[7]"},
        {"on_demand": b'[{"location_code":"ICE-01","availabilities":"all"}]'},
    ],
)
def test_strange_catalogues_are_not_understood(make: Make, differing: dict[str, Any]) -> None:
    with Scripted(*answers(**differing)) as server, pytest.raises(NotUnderstood):
        make(base_url=server.url).get_available_gpus()


def test_hardware_comes_in_one_order() -> None:
    rows = [
        Gpu(name, model, count, 80, "usd")
        for name, model, count in (("b", "H", 2), ("a", "H", 1), ("c", "A", 8))
    ]
    joined = join(rows, [], on_demand={}, spot={})
    assert [(gpu.model, gpu.count) for gpu in joined] == [("A", 8), ("H", 1), ("H", 2)]


def test_kinds_that_share_a_name_or_a_machine_stay_apart() -> None:
    serverless = [Gpu("H100", "H100", count, 80 * count, "usd") for count in (1, 2)]
    shared = [Gpu(name, "L40S", 1, 48, "usd", instance_type="1L40S") for name in ("a", "b")]
    machine = Gpu("L40S", "L40S", 1, 48, "usd", instance_type="1L40S", instance_price=Decimal(1))
    joined = join([*serverless, *shared], [machine], on_demand={"1L40S": ("FIN-01",)}, spot={})
    assert [(gpu.name, gpu.count) for gpu in joined] == [("H100", 1), ("H100", 2), ("a", 1), ("b", 1)]
    assert [(gpu.instance_price, gpu.locations) for gpu in joined[2:]] == [(Decimal(1), ("FIN-01",))] * 2


def test_one_kind_of_machine(client: VerdaClient, verda: FakeVerda) -> None:
    verda.hardware["1V100.6V"].spot_available = False
    assert client.is_instance_available("1V100.6V", is_spot=False)
    assert not client.is_instance_available("1V100.6V", is_spot=True)
    assert not client.is_instance_available("1V100.6V", is_spot=False, location_code="ICE-01")
    assert verda.calls.to("/instance-availability/*")[2].query == {
        "isSpot": "false",
        "location_code": "ICE-01",
    }


@pytest.mark.parametrize(("body", "expected"), [(b"true", True), (b'"false"', False)])
def test_availability_in_any_dress(make: Make, body: bytes, expected: bool) -> None:
    with Scripted(Reply(body=TOKEN), Reply(body=body)) as server:
        assert make(base_url=server.url).is_instance_available("1V", is_spot=True) is expected


def test_an_availability_that_is_neither_is_not_understood(make: Make) -> None:
    with Scripted(Reply(body=TOKEN), Reply(body=b"null")) as server, pytest.raises(NotUnderstood):
        make(base_url=server.url).is_instance_available("1V", is_spot=True)


def test_locations(client: VerdaClient) -> None:
    assert Location("FIN-01", "Finland 1", "FI") in client.locations()
    assert len(client.locations()) == 4


def test_what_prices_were(client: VerdaClient, verda: FakeVerda) -> None:
    history = client.price_history()
    assert set(history) == set(verda.hardware)
    days = history["1A100.40S.22V"]
    assert (len(days), days[0].fixed, days[0].dynamic) == (30, Decimal("0.951"), Decimal("0.951"))
    assert days[0].at is not None
    assert days[1].at is not None
    assert days[0].at - days[1].at == timedelta(days=1)


def test_where_nobody_is_told_what_prices_were(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add("/instance-types/price-history", kind="not_found")
    with pytest.raises(NotFound):
        client.price_history()


def test_a_history_that_is_none(make: Make) -> None:
    with Scripted(Reply(body=TOKEN), Reply(body=b"[]")) as server, pytest.raises(NotUnderstood):
        make(base_url=server.url).price_history()
