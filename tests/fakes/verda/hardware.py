"""What can be rented and for how much: the list of the specification, and two dearer ones."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.fakes.verda.wire import Refused


@dataclass
class Hardware:
    """`compute` is its name as a serverless resource. Prices are dollars an hour; a test may change them."""

    instance_type: str
    compute: str
    model: str
    gpu_memory_gb: int
    cores: int
    memory_gb: int
    spot_price: Decimal
    price: Decimal
    available: bool = True
    spot_available: bool = True
    locations: tuple[str, ...] = ("FIN-01", "FIN-03")

    def hourly(self, is_spot: bool) -> Decimal:
        return self.spot_price if is_spot else self.price

    @property
    def details(self) -> dict[str, Any]:
        name = f"{self.model} {self.gpu_memory_gb}GB"
        return {
            "cpu": {"description": f"{self.cores} CPU", "number_of_cores": self.cores},
            "gpu": {"description": f"1x {name}", "number_of_gpus": 1},
            "gpu_memory": {
                "description": f"{self.gpu_memory_gb}GB GPU RAM",
                "size_in_gigabytes": self.gpu_memory_gb,
            },
            "memory": {"description": f"{self.memory_gb}GB RAM", "size_in_gigabytes": self.memory_gb},
        }


def catalogue() -> list[Hardware]:
    rows = [
        ("1V100.6V", "V100 16GB", "Tesla V100", 16, 6, 23, "0.076", "0.152"),
        ("1A6000.10V", "RTX A6000 48GB", "RTX A6000", 48, 10, 60, "0.125", "0.485"),
        ("1A100.40S.22V", "A100 40GB", "A100 SXM4", 40, 22, 120, "0.238", "0.951"),
        ("1A100.22V", "A100 80GB", "A100 SXM4", 80, 22, 120, "0.425", "1.289"),
        ("1L40S.20V", "L40S 48GB", "L40S", 48, 20, 60, "0.465", "0.905"),
        ("1H100.80S.32V", "H100 80GB", "H100 SXM5", 80, 32, 185, "0.850", "2.290"),
        ("1H200.141S.44V", "H200 141GB", "H200 SXM5", 141, 44, 185, "1.250", "2.990"),
    ]
    return [Hardware(*row[:6], Decimal(row[6]), Decimal(row[7])) for row in rows]


def instance_types(offers: list[Hardware], currency: str) -> list[dict[str, Any]]:
    return [_instance_type(offer, currency) for offer in offers]


def container_types(offers: list[Hardware], currency: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"container-type-{offer.instance_type}",
            "model": offer.model,
            "name": offer.compute,
            "instance_type": offer.instance_type,
            **offer.details,
            "serverless_price": str(offer.price),
            "serverless_spot_price": str(offer.spot_price),
            "currency": currency,
            "manufacturer": "NVIDIA",
        }
        for offer in offers
    ]


def compute_resources(offers: list[Hardware]) -> list[dict[str, Any]]:
    """Each alone, and two of a kind, which never are to be had."""
    return [
        {"name": offer.compute, "size": size, "is_available": offer.available and size == 1}
        for offer in offers
        for size in (1, 2)
    ]


def by_type(offers: list[Hardware], instance_type: str) -> Hardware:
    for offer in offers:
        if offer.instance_type == instance_type:
            return offer
    raise Refused(400, f"Invalid instance type {instance_type!r}")


def by_compute(offers: list[Hardware], name: str, size: int) -> Hardware:
    for offer in offers:
        if offer.compute == name and size in (1, 2):
            return offer
    raise Refused(400, f"Compute resource {name!r} of size {size} does not exist")


def _instance_type(offer: Hardware, currency: str) -> dict[str, Any]:
    return {
        "id": f"instance-type-{offer.instance_type}",
        "instance_type": offer.instance_type,
        "price_per_hour": str(offer.price),
        "spot_price": str(offer.spot_price),
        "dynamic_price": str(offer.price),
        "max_dynamic_price": str(offer.price * 2),
        "serverless_price": str(offer.price),
        "serverless_spot_price": str(offer.spot_price),
        "description": f"Dedicated hardware instance with {offer.model}",
        **offer.details,
        "storage": {"description": "dynamic"},
        "best_for": ["Inference"],
        "model": offer.model,
        "name": offer.compute,
        "display_name": offer.compute,
        "p2p": "",
        "currency": currency,
        "manufacturer": "NVIDIA",
        "supported_os": ["ubuntu-24.04-cuda-12.8-open-docker", "ubuntu-24.04"],
        "deploy_warning": None,
    }
