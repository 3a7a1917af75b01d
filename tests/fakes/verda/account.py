"""The endpoints about the account and about what can be rented."""

from __future__ import annotations

from typing import Any

from tests.fakes.verda.clock import stamp
from tests.fakes.verda.hardware import (
    Hardware,
    by_type,
    compute_resources,
    container_types,
    instance_types,
)
from tests.fakes.verda.state import State
from tests.fakes.verda.wire import Answer, Refused, Request, Routes

LOCATIONS = [
    {"code": "FIN-01", "name": "Finland 1", "country_code": "FI"},
    {"code": "FIN-02", "name": "Finland 2", "country_code": "FI"},
    {"code": "FIN-03", "name": "Finland 3", "country_code": "FI"},
    {"code": "ICE-01", "name": "Iceland 1", "country_code": "IS"},
]
IMAGES = [
    ("ubuntu-24.04-cuda-12.8-open-docker", "Ubuntu 24.04 + CUDA 12.8 Open + Docker"),
    ("ubuntu-24.04-cuda-12.8-open", "Ubuntu 24.04 + CUDA 12.8 Open"),
    ("ubuntu-24.04", "Ubuntu 24.04"),
]
DAY = 86_400


class Account:
    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def routes(self) -> Routes:
        return {
            ("GET", "/balance"): self.balance,
            ("GET", "/locations"): lambda request: Answer(200, LOCATIONS),
            ("GET", "/images"): self.images,
            ("GET", "/instance-types"): self.instance_types,
            ("GET", "/instance-types/price-history"): self.price_history,
            ("GET", "/instance-availability"): self.availabilities,
            ("GET", "/instance-availability/{type}"): self.is_available,
            ("GET", "/container-types"): self.container_types,
            ("GET", "/serverless-compute-resources"): self.compute_resources,
            ("GET", "/volume-types"): self.volume_types,
        }

    def balance(self, request: Request) -> Answer:
        return Answer(200, {"amount": round(float(self._state.balance), 4), "currency": "usd"})

    def images(self, request: Request) -> Answer:
        images = [
            {
                "id": f"image-{kind}",
                "image_type": kind,
                "name": name,
                "is_default": not at,
                "is_cluster": False,
                "details": [name],
                "category": "ubuntu",
            }
            for at, (kind, name) in enumerate(IMAGES)
        ]
        return Answer(200, images)

    def instance_types(self, request: Request) -> Answer:
        return Answer(200, instance_types(self._state.hardware, _currency(request)))

    def container_types(self, request: Request) -> Answer:
        return Answer(200, container_types(self._state.hardware, _currency(request)))

    def compute_resources(self, request: Request) -> Answer:
        return Answer(200, compute_resources(self._state.hardware))

    def volume_types(self, request: Request) -> Answer:
        prices = {"NVMe": 0.2, "HDD": 0.05, "NVMe_Shared": 0.2}
        return Answer(
            200,
            [
                {"type": kind, "price": {"price_per_month_per_gb": price, "currency": "usd"}}
                for kind, price in prices.items()
            ],
        )

    def price_history(self, request: Request) -> Answer:
        """A month of days at today's price; the Go SDK's call, the Python SDK has none."""
        currency, now = _currency(request), self._state.clock.now()
        history: dict[str, list[dict[str, Any]]] = {
            offer.instance_type: [
                {
                    "date": stamp(now - day * DAY),
                    "fixed_price_per_hour": str(offer.price),
                    "dynamic_price_per_hour": str(offer.price),
                    "currency": currency,
                }
                for day in range(30)
            ]
            for offer in self._state.hardware
        }
        return Answer(200, history)

    def availabilities(self, request: Request) -> Answer:
        is_spot, asked = _is_spot(request), request.query.get("location_code")
        codes = [place["code"] for place in LOCATIONS if asked in (None, place["code"])]
        return Answer(
            200,
            [
                {
                    "location_code": code,
                    "availabilities": [
                        offer.instance_type
                        for offer in self._state.hardware
                        if is_to_be_had(offer, is_spot=is_spot, location=code)
                    ],
                }
                for code in codes
            ],
        )

    def is_available(self, request: Request) -> Answer:
        offer = by_type(self._state.hardware, request.parameters["type"])
        location = request.query.get("location_code")
        return Answer(200, is_to_be_had(offer, is_spot=_is_spot(request), location=location))


def is_to_be_had(offer: Hardware, *, is_spot: bool, location: str | None) -> bool:
    is_there = location is None or location in offer.locations
    return is_there and (offer.spot_available if is_spot else offer.available)


def _is_spot(request: Request) -> bool:
    asked = request.query.get("isSpot", "false")
    if asked not in ("true", "false"):
        raise Refused(400, "isSpot must be true or false")
    return asked == "true"


def _currency(request: Request) -> str:
    currency = request.query.get("currency", "usd")
    if currency not in ("usd", "eur"):
        raise Refused(400, "currency must be usd or eur")
    return currency
