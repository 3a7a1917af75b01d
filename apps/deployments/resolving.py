"""Which model and voice are meant: names looked up, defaults filled in, and every way to say no."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.core.errors import AppError, InvalidRequest, NotFound, PaymentRequired, Unavailable
from apps.deployments.catalogue import CLONE, Known, Table

NOBODY_READY = "no_worker_ready"


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and a voice that exist for an organization, whether or not a worker is ready now.

    `voice` is empty where a cloned one was asked for: its name is the caller's to know.
    """

    model: str
    voice: str


def resolve(
    table: Table,
    *,
    organization_id: UUID | None,
    model: str | None,
    voice: str | None,
    features: frozenset[str] = frozenset(),
    may_use_shared: bool = True,
) -> Choice:
    """The model and voice meant. Without a voice, the feature `clone` says that a cloned one is.

    Raises `NotFound` (`model_not_found`, `voice_not_found`) for a name that no deployment has,
    `InvalidRequest` (`model_lacks_feature`) for a model without what is needed, and `Unavailable`: with
    `no_worker_ready` while it cannot be known, with `no_deployment_for_model` for what only the shared pool
    speaks where that may not be used, or what nobody does. `PaymentRequired` for what only deployments of the
    organization's own could speak, whose budget is used up.
    """
    if organization_id in table.exhausted:
        return _resolve_without_own(table, model, voice, features, may_use_shared=may_use_shared)
    visible = table.visible_deployments(organization_id, may_use_shared=may_use_shared)
    if may_use_shared or organization_id is None:
        return _resolve(visible, model, voice, features)
    if not visible:
        raise _no_deployment(
            "Your organization has no deployment, and its plan has no part in the shared ones."
        )
    try:
        return _resolve(visible, model, voice, features)
    except (NotFound, InvalidRequest):
        if _is_spoken(table.visible_deployments(None), model, voice, features):
            raise _no_deployment(
                "Only the shared deployments speak this, and your organization's plan has no part in them."
            ) from None
        raise


def _resolve_without_own(
    table: Table,
    model: str | None,
    voice: str | None,
    features: frozenset[str],
    *,
    may_use_shared: bool,
) -> Choice:
    shared = table.visible_deployments(None) if may_use_shared else ()
    try:
        return _resolve(shared, model, voice, features)
    except (NotFound, InvalidRequest, Unavailable):
        raise PaymentRequired(
            "Your organization's budget for deployments is used up this month, and no shared one "
            "speaks this. An owner or admin may raise it."
        ) from None


def default_for(visible: Sequence[Known]) -> Choice | None:
    """Model and first voice of the first ready deployment; else of the first that is known."""
    spoken = [known for known in visible if known.models and known.voices]
    first = next((known for known in spoken if known.is_ready), next(iter(spoken), None))
    return Choice(first.models[0], first.voices[0]) if first else None


def _resolve(
    visible: Sequence[Known], model: str | None, voice: str | None, features: frozenset[str]
) -> Choice:
    is_settled = bool(visible) and all(known.models for known in visible)
    if model is not None and not any(model in known.models for known in visible):
        raise _unknown("model", model, _names(visible, "models"), is_settled=is_settled)
    able = [known for known in visible if model in (None, *known.models) and features <= known.features]
    if features and not able:
        raise _lacking(model, features, is_settled=is_settled)
    if voice is None and CLONE in features:
        chosen = _first_serving(known for known in able if known.models)
        return Choice(model or chosen.models[0], "")
    if model is None and voice is None:
        default = default_for(able)
        if default is None:
            raise _nobody_ready()
        return default
    with_voice = [known for known in able if known.voices and voice in (None, *known.voices)]
    if not with_voice:
        raise _unknown("voice", str(voice), _names(able, "voices"), is_settled=is_settled)
    chosen = _first_serving(with_voice)
    return Choice(model or chosen.models[0], voice or chosen.voices[0])


def _first_serving(deployments: Iterable[Known]) -> Known:
    """What serves goes before what is paused or failed; readiness of the moment does not decide."""
    return min(deployments, key=lambda known: not known.is_serving)


def _is_spoken(
    visible: Sequence[Known], model: str | None, voice: str | None, features: frozenset[str]
) -> bool:
    try:
        _resolve(visible, model, voice, features)
    except AppError:
        return False
    return True


def _names(deployments: Iterable[Known], kind: str) -> list[str]:
    """Each name once, in the order of the deployments."""
    return list(dict.fromkeys(name for known in deployments for name in getattr(known, kind)))


def _unknown(param: str, name: str, names: list[str], *, is_settled: bool) -> NotFound | Unavailable:
    if not is_settled:
        return _nobody_ready()
    there_are = ", ".join(names) or "none"
    return NotFound(
        f"There is no {param} {name!r}. There are: {there_are}.", code=f"{param}_not_found", param=param
    )


def _lacking(
    model: str | None, features: frozenset[str], *, is_settled: bool
) -> InvalidRequest | Unavailable:
    if not is_settled:
        return _nobody_ready()
    what = "cloned voices" if CLONE in features else ", ".join(sorted(features))
    if model is None:
        return _no_deployment(f"There is no deployment that is fit for {what}.")
    return InvalidRequest(
        f"The model {model!r} is not fit for {what}.", code="model_lacks_feature", param="model"
    )


def _no_deployment(message: str) -> Unavailable:
    # No time to come back, and a word to SDKs that retry each 503: waiting changes nothing here.
    return Unavailable(
        message,
        code="no_deployment_for_model",
        retry_after_seconds=None,
        headers={"x-should-retry": "false"},
    )


def _nobody_ready() -> Unavailable:
    return Unavailable(
        "No speech worker is ready yet. Try again in a few seconds.",
        code=NOBODY_READY,
        retry_after_seconds=2,
    )
