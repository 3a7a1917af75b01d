"""Workers as processes of this machine, run by a supervisor of their own (`manage.py run_local_provider`)."""

from __future__ import annotations

from collections.abc import Sequence, Set
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

from apps.deployments.providers.base import Observation, Price, ProviderError, Wanted
from apps.deployments.providers.local import wire
from apps.deployments.providers.local.client import SupervisorClient
from apps.deployments.providers.local.layout import Layout
from gpu_worker.protocol import CHATTERBOX_ENGINES


class LocalProvider:
    """The `Provider` that talks to the supervisor of `var_dir` over its socket."""

    def __init__(self, var_dir: Path) -> None:
        self._client = SupervisorClient(Layout(var_dir).socket)

    def start_deadline_seconds(self, engine: str) -> float:
        return 1800.0 if engine in CHATTERBOX_ENGINES else 90.0  # 3 GB from the hub, the first time

    def typical_start_seconds(self, engine: str) -> float:
        return 60.0 if engine in CHATTERBOX_ENGINES else 5.0

    def ensure(self, wanted: Wanted) -> None:
        self._client.request("PUT", f"/deployments/{wanted.deployment_id}", wire.wanted_to_json(wanted))

    def scales_alone(self, kind: str) -> bool:
        return False

    def describe(self, wanted: Wanted, *, closely: bool = True) -> Observation | None:
        path = f"/deployments/{wanted.deployment_id}"
        status, body = self._client.request("GET", path, missing_ok=True)
        if status == HTTPStatus.NOT_FOUND:
            return None
        fleet = self._read(body)
        return Observation(fleet.replicas, is_as_wanted=fleet.wanted == wanted)

    def delete(self, deployment_id: UUID) -> None:
        self._client.request("DELETE", f"/deployments/{deployment_id}", missing_ok=True)

    def list_ids(self) -> Set[UUID]:
        _, body = self._client.request("GET", "/deployments")
        try:
            return frozenset(UUID(entry) for entry in body["deployments"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _not_understood(error) from error

    def prices(self) -> Sequence[Price]:
        return ()

    def balance(self) -> None:
        return None

    @staticmethod
    def _read(body: object) -> wire.Fleet:
        try:
            return wire.fleet_from_json(body)
        except wire.WireError as error:
            raise _not_understood(error) from error


def _not_understood(error: Exception) -> ProviderError:
    return ProviderError(
        f"The local provider answered something that is not understood ({error}). Restart it.",
        code="provider_not_understood",
        permanent=False,
    )
