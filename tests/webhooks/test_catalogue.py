"""The catalogue: what there is to hear of, whether it is what it says, and which filters fit it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction
from jsonschema import Draft202012Validator, FormatChecker

from apps.accounts.models import Organization
from apps.core.errors import InvalidRequest
from apps.webhooks import catalogue, outbox
from apps.webhooks.catalogue import EventType, clean_filter, every_type, fits, is_filter
from apps.webhooks.models import Event

NAMES = [
    "budget.threshold_reached",
    "clip.accepted",
    "clip.rejected",
    "consent.withdrawn",
    "deployment.asleep",
    "deployment.degraded",
    "deployment.draining",
    "deployment.failed",
    "deployment.paused",
    "deployment.provisioning",
    "deployment.ready",
    "deployment.requested",
    "deployment.starting",
    "deployment.stopped",
    "deployment.stopping",
    "deployment.updating",
    "endpoint.disabled",
    "job.completed",
    "job.failed",
    "key.created",
    "key.revoked",
    "key.rotated",
    "payout.paid",
    "quota.exhausted",
    "release.ready",
    "usage.threshold_reached",
    "voice.created",
    "voice.deleted",
    "voice.suspended",
    "voice.unsuspended",
]


def check(body: dict[str, Any]) -> None:
    """By the schema of its own kind, and without a field that it does not tell of."""
    kind = catalogue.find(body["type"])
    Draft202012Validator(kind.schema, format_checker=FormatChecker()).validate(body)
    assert set(body) == set(kind.schema["properties"])
    assert set(body["data"]) == set(kind.data["properties"])


def test_what_there_is() -> None:
    """A name that goes, or changes, breaks a receiver."""
    assert [kind.name for kind in every_type()] == NAMES


@pytest.mark.parametrize("kind", every_type(), ids=lambda kind: kind.name)
def test_each_says_what_it_means_and_shows_a_true_example(kind: EventType) -> None:
    assert kind.meaning.endswith(".")
    assert kind.version >= 1
    assert len(kind.name) <= 64
    Draft202012Validator.check_schema(kind.schema)
    check(json.loads(json.dumps(kind.example_body)))
    for name, field in kind.data["properties"].items():
        assert field["description"].endswith("."), name


@pytest.mark.parametrize("kind", every_type(), ids=lambda kind: kind.name)
def test_its_schema_refuses_another_ones_body(kind: EventType) -> None:
    validator = Draft202012Validator(kind.schema)
    for changed in ({"type": "other.event"}, {"version": 99}, {"data": {}}, {"timestamp": 5}, {"test": None}):
        assert not validator.is_valid(kind.example_body | changed)


def test_a_body_is_as_its_schema_says(acme: Organization) -> None:
    for kind in every_type():
        with transaction.atomic():
            told = outbox.write_event(kind.name, organization_id=acme.pk, data=kind.example, is_test=True)
        written = Event.objects.get(pk=told.pk)
        body = json.loads(written.body)
        check(body)
        assert (body["id"], body["test"]) == (written.message_id, True)
        assert body["timestamp"].endswith("Z")


def test_one_name_stands_for_one_kind() -> None:
    [first, *_] = every_type()
    catalogue.register(first)
    other = EventType(first.name, "Something else.", data=first.data, example=first.example)
    with pytest.raises(ValueError, match=first.name):
        catalogue.register(other)
    assert catalogue.find(first.name) is first


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ([], []),
        (["", " "], []),
        (["*"], []),
        (["key.created", "*"], []),
        ([" key.created ", "key.created"], ["key.created"]),
        (["deployment.*", "key.revoked"], ["deployment.*", "key.revoked"]),
    ],
)
def test_filters_are_kept_once_and_none_means_all(wanted: list[str], kept: list[str]) -> None:
    assert clean_filter(wanted) == kept


@pytest.mark.parametrize(
    "word",
    [
        *("key", "key.", "key.*.*", "ke*", "key.created.*", "Key.created", "nothing.*", ".*", "**", "key.%"),
        *("key.created\x00", "deployment.ready,key.created"),
    ],
)
def test_what_fits_nothing_is_refused(word: str) -> None:
    assert not is_filter(word)
    with pytest.raises(InvalidRequest) as refused:
        clean_filter(["key.created", word])
    assert refused.value.param == "events"


def test_no_more_than_so_many() -> None:
    with pytest.raises(InvalidRequest):
        clean_filter([f"key.{number}" for number in range(catalogue.MAX_FILTERS + 1)])
    assert len(clean_filter(NAMES)) == len(NAMES) <= catalogue.MAX_FILTERS


def test_what_fits() -> None:
    assert fits([], "key.created")
    assert fits(["key.created"], "key.created")
    assert fits(["job.*", "key.*"], "key.created")
    assert not fits(["key.revoked", "keys.*", "ke.*"], "key.created")
    assert not fits(["usage.*"], "usages.threshold_reached")
