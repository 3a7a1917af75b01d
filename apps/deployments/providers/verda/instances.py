"""Machines: rented, acted upon, given back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from apps.deployments.providers.verda import answers, payloads, rules
from apps.deployments.providers.verda.calls import Calls
from apps.deployments.providers.verda.errors import InvalidRequest, NotFound, VerdaError, tidy
from apps.deployments.providers.verda.reading import Fields, objects
from apps.deployments.providers.verda.types import (
    Instance,
    InstanceAction,
    InstanceActionResult,
    InstanceSpec,
)

_INSTANCES = "instances"
_ENDING = frozenset({InstanceAction.DELETE, InstanceAction.DISCONTINUE, InstanceAction.DELETE_STUCK})
_FAILED = frozenset({"error", "failed", "failure"})


class ActionFailed(VerdaError):
    """An action failed on some machines, or on all; `results` tells of each, in the order asked."""

    default_code = "partial_failure"

    def __init__(self, message: str, *, results: tuple[InstanceActionResult, ...], permanent: bool) -> None:
        super().__init__(message, status=HTTPStatus.MULTI_STATUS, permanent=permanent)
        self.results = results

    @property
    def failed(self) -> tuple[InstanceActionResult, ...]:
        return tuple(result for result in self.results if not result.ok)


class Instances(Calls):
    """All raise `VerdaError`."""

    def create_instance(self, spec: InstanceSpec) -> str:
        """The id of the new machine, whose status then tells whether it comes: `no_capacity` and `error`
        are told there only. An error with `outcome_unknown` may have rented one all the same: look with
        `find_instances`."""
        rules.check_instance(spec)
        return self._create(_INSTANCES, json=payloads.instance(spec))

    def list_instances(self, status: str = "") -> list[Instance]:
        """All that are not deleted, or those of one status."""
        answer = self._get(_INSTANCES, params={"status": status} if status else None)
        return answer.read(answers.many(answers.instance_fields, "instances"))

    def get_instance(self, instance_id: str) -> Instance | None:
        """The machine, `None` where there is none."""
        try:
            return self._get(_INSTANCES, instance_id).read(answers.instance)
        except NotFound:
            return None

    def find_instances(self, hostname: str) -> list[Instance]:
        """All machines of this hostname, newest first; Verda lets any number have the same."""
        found = [instance for instance in self.list_instances() if instance.hostname == hostname]
        return sorted(found, key=lambda instance: str(instance.created_at or ""), reverse=True)

    def instance_action(
        self,
        instance_ids: str | Sequence[str],
        action: InstanceAction | str,
        *,
        volume_ids: Sequence[str] | None = None,
        delete_permanently: bool = False,
    ) -> tuple[InstanceActionResult, ...]:
        """Asks for `action` on each machine; returns one result each, in the order asked, all of them ok.

        Where it fails on any, `ActionFailed` holds the results of all. A machine to be deleted that does
        not exist counts as deleted. With a deletion, `volume_ids` are deleted, too (`None`: the system
        disk only, as Verda does by itself; empty: none), for good with `delete_permanently`.
        """
        asked = _action(action)
        ids = [instance_ids] if isinstance(instance_ids, str) else list(dict.fromkeys(instance_ids))
        if not ids:
            raise InvalidRequest("No machine is named.")
        body: dict[str, Any] = {"id": [rules.check_segment(one) for one in ids], "action": asked.value}
        if volume_ids is not None:
            body["volume_ids"] = list(volume_ids)
        if delete_permanently:
            body["delete_permanently"] = True
        try:
            answer = self._call("PUT", _INSTANCES, json=body)
        except NotFound:
            # Of several, it is not known which one is missing.
            if asked not in _ENDING or len(ids) > 1:
                raise
            return (InstanceActionResult(ids[0], asked, "not_found", ok=True),)
        if not answer.body.strip():
            return tuple(InstanceActionResult(one, asked, "success", ok=True) for one in ids)
        return _judge(ids, asked, answer.read(_results))


def _action(action: str) -> InstanceAction:
    try:
        return InstanceAction(action)
    except ValueError:
        raise InvalidRequest(f"{action!r} is no action on a machine.") from None


def _results(answer: Any) -> list[InstanceActionResult]:
    return [_result(fields) for fields in objects(answer, "action results")]


def _result(fields: Fields) -> InstanceActionResult:
    action, status = fields.text("action", ""), fields.text("status", "")
    error = tidy(fields.text("error", ""), ())
    code = fields.whole("statusCode", 0) or None
    failed = bool(error) or status in _FAILED or (code or 0) >= HTTPStatus.BAD_REQUEST
    is_gone = code == HTTPStatus.NOT_FOUND and action in _ENDING
    return InstanceActionResult(
        fields.name("instanceId"), action, status, ok=is_gone or not failed, error=error, status_code=code
    )


def _judge(
    ids: Iterable[str], action: InstanceAction, told: list[InstanceActionResult]
) -> tuple[InstanceActionResult, ...]:
    by_id = {result.instance_id: result for result in told}
    results = tuple(
        by_id.get(one)
        or InstanceActionResult(one, action, "unknown", ok=False, error="Verda says nothing about it.")
        for one in ids
    )
    if failed := [result for result in results if not result.ok]:
        told_why = "; ".join(f"{result.instance_id}: {result.error or result.status}" for result in failed)
        raise ActionFailed(
            f"{action} failed on {len(failed)} of {len(results)} machines: {told_why}",
            results=results,
            permanent=all(_is_permanent(result.status_code) for result in failed),
        )
    return results


def _is_permanent(status_code: int | None) -> bool:
    passing = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
    return (
        status_code is not None
        and HTTPStatus.BAD_REQUEST <= status_code < HTTPStatus.INTERNAL_SERVER_ERROR
        and status_code not in passing
    )
