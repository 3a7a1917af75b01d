"""What can be had, where, and for how much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from apps.deployments.providers.verda import answers
from apps.deployments.providers.verda.calls import Calls
from apps.deployments.providers.verda.errors import NotUnderstood
from apps.deployments.providers.verda.reading import Fields, objects
from apps.deployments.providers.verda.types import Currency, Gpu, Location, PastPrice

Places = dict[str, tuple[str, ...]]
_Resources = dict[tuple[str, int], tuple[str, bool]]


class Catalogue(Calls):
    """All raise `VerdaError`."""

    def get_available_gpus(self, currency: Currency = "usd") -> list[Gpu]:
        """All hardware with GPUs that Verda rents, with its prices and whether and where it is to be had now.

        Five calls; callers keep the answer for a while.
        """
        params = {"currency": currency}
        containers = self._get("container-types", params=params).read(_hardware("container types"))
        machines = self._get("instance-types", params=params).read(_hardware("instance types"))
        resources = self._get("serverless-compute-resources").read(_resources)
        return join(
            [_container_gpu(fields, resources) for fields in containers],
            [_machine_gpu(fields) for fields in machines],
            on_demand=self.instance_availability(is_spot=False),
            spot=self.instance_availability(is_spot=True),
        )

    def instance_availability(self, *, is_spot: bool) -> Places:
        """Location codes by the instance type that is to be had there now."""
        return self._get("instance-availability", params={"isSpot": _word(is_spot)}).read(_places)

    def is_instance_available(self, instance_type: str, *, is_spot: bool, location_code: str = "") -> bool:
        """Whether a machine of this type is to be had now, anywhere or at one location."""
        params = {"isSpot": _word(is_spot)} | ({"location_code": location_code} if location_code else {})
        return self._get("instance-availability", instance_type, params=params).read(answers.yes_or_no)

    def price_history(self, currency: Currency = "usd") -> dict[str, tuple[PastPrice, ...]]:
        """By instance type, as Verda orders them. Not every account is told: `NotFound` then."""
        params = {"currency": currency}
        return self._get("instance-types", "price-history", params=params).read(_history)

    def locations(self) -> list[Location]:
        return self._get("locations").read(answers.many(answers.location, "locations"))


def join(serverless: Iterable[Gpu], machines: Iterable[Gpu], *, on_demand: Places, spot: Places) -> list[Gpu]:
    """One row for each kind of hardware, by model, count and memory; CPU nodes are left out."""
    by_type = {gpu.instance_type: gpu for gpu in machines if gpu.instance_type}
    rows: list[Gpu] = []
    for gpu in serverless:
        machine = by_type.get(gpu.instance_type)
        rows.append(gpu if machine is None else _with_machine(gpu, machine))
    offered = {gpu.instance_type for gpu in rows}
    rows += [gpu for instance_type, gpu in by_type.items() if instance_type not in offered]
    located = (
        replace(
            gpu,
            locations=on_demand.get(gpu.instance_type, ()),
            spot_locations=spot.get(gpu.instance_type, ()),
        )
        for gpu in rows
        if gpu.count > 0
    )
    return sorted(located, key=lambda gpu: (gpu.model, gpu.count, gpu.memory_gb, gpu.name))


def _with_machine(serverless: Gpu, machine: Gpu) -> Gpu:
    return replace(
        serverless,
        instance_price=machine.instance_price,
        instance_spot_price=machine.instance_spot_price,
    )


def _hardware(what: str) -> Any:
    return lambda answer: objects(answer, what)


def _container_gpu(fields: Fields, resources: _Resources) -> Gpu:
    gpu = _gpu(fields)
    # Resources are called by the name of a type or by its model, and blanks come and go.
    asked, is_available = next(
        (
            resources[_folded(name), gpu.count]
            for name in (gpu.name, gpu.model)
            if (_folded(name), gpu.count) in resources
        ),
        ("", False),
    )
    return replace(
        gpu,
        compute_name=asked,
        compute_size=gpu.count if asked else 0,
        serverless_available=is_available,
        serverless_price=fields.money("serverless_price"),
        serverless_spot_price=fields.money("serverless_spot_price"),
    )


def _machine_gpu(fields: Fields) -> Gpu:
    return replace(
        _gpu(fields),
        instance_price=fields.money("price_per_hour"),
        instance_spot_price=fields.money("spot_price"),
    )


def _gpu(fields: Fields) -> Gpu:
    model = fields.text("model", "")
    instance_type = fields.text("instance_type", "")
    return Gpu(
        name=fields.text("name", "") or model or instance_type,
        model=model,
        count=fields.child("gpu").whole("number_of_gpus", 0),
        memory_gb=fields.child("gpu_memory").whole("size_in_gigabytes", 0),
        currency=fields.text("currency", "usd").lower(),
        instance_type=instance_type,
    )


def _resources(answer: Any) -> _Resources:
    return {
        (_folded(fields.name("name")), fields.whole("size", 1)): (
            fields.name("name"),
            fields.flag("is_available"),
        )
        for fields in objects(answer, "compute resources")
    }


def _places(answer: Any) -> Places:
    places: dict[str, list[str]] = {}
    for fields in objects(answer, "availability"):
        for instance_type in fields.texts("availabilities"):
            places.setdefault(instance_type, []).append(fields.name("location_code"))
    return {instance_type: tuple(sorted(set(codes))) for instance_type, codes in places.items()}


def _history(answer: Any) -> dict[str, tuple[PastPrice, ...]]:
    if not isinstance(answer, dict):
        raise NotUnderstood("Verda's price history is not a JSON object.")
    return {
        instance_type: tuple(
            PastPrice(
                fields.moment("date"),
                fields.money("fixed_price_per_hour"),
                fields.money("dynamic_price_per_hour"),
            )
            for fields in objects(days, "price history")
        )
        for instance_type, days in answer.items()
    }


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()


def _word(value: bool) -> str:
    return "true" if value else "false"
