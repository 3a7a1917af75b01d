"""Receivers written with nothing of ours take what is sent, and refuse whatever was made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
import time_machine
from django.utils import timezone

from apps.accounts.models import Organization
from apps.webhooks import attempts, claims, delivering, health, services, signing
from apps.webhooks.models import Endpoint
from apps.webhooks.services import IssuedSecret
from tests.sdk import node_programs
from tests.webhooks.receiver import Receiver
from tests.webhooks.rows import cause, endpoint

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Message:
    """A request as it came, and the secret that its receiver knows."""

    secret: str
    headers: dict[str, str]
    body: str

    def changed(self, **headers: str) -> Message:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers=self.headers | named)


def standard(message: Message) -> Any:
    return standardwebhooks.Webhook(message.secret).verify(message.body, message.headers)


def svixs(message: Message) -> Any:
    svix.webhooks.Webhook(message.secret).verify(message.body, message.headers)
    return json.loads(message.body)


REFUSALS = (standardwebhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError)
in_python = pytest.mark.parametrize("verify", [standard, svixs])
Verify = Callable[[Message], Any]


def arrived(receiver: Receiver, secret: str, number: int = -1) -> Message:
    received = receiver.received[number]
    return Message(secret, received.headers, received.body.decode())


def sent(acme: Organization, hooked: IssuedSecret, receiver: Receiver) -> Message:
    cause(acme)
    delivering.deliver(hooked.endpoint.pk)
    return arrived(receiver, hooked.secret)


def of_the_past(hooked: IssuedSecret, *, minutes: float) -> Message:
    """Signed as if it had been attempted so long ago."""
    known = Endpoint.objects.prefetch_related("secrets").get(pk=hooked.endpoint.pk)
    claim = claims.claim_next(hooked.endpoint.pk)
    assert claim is not None
    claim = replace(claim, now=timezone.now() - timedelta(minutes=minutes))
    return Message(hooked.secret, attempts.headers_of(known, claim), claim.body)


def tampered(message: Message) -> list[Message]:
    body, headers = message.body, message.headers
    first, _, signature = headers["webhook-signature"].partition(",")
    return [
        replace(message, body=body.replace("Website", "website")),
        replace(message, body=body + " "),
        replace(message, body=json.dumps(json.loads(body))),
        message.changed(webhook_id=f"evt_{'0' * 32}"),
        message.changed(webhook_timestamp=str(int(headers["webhook-timestamp"]) - 1)),
        message.changed(webhook_signature=f"{first},{signature[::-1].lstrip('=')}="),
        message.changed(webhook_signature=f"v2,{signature}"),
        message.changed(webhook_id=""),
        replace(message, secret=signing.new_secret()),
    ]


@in_python
def test_what_is_sent_is_taken(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver, verify: Verify
) -> None:
    message = sent(acme, hooked, receiver)
    told = verify(message)
    assert told["type"] == "key.created"
    assert told["id"] == message.headers["webhook-id"]
    assert message.headers["content-type"] == "application/json"
    assert abs(int(message.headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60


@in_python
def test_what_was_made_of_it_is_refused(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver, verify: Verify
) -> None:
    for message in tampered(sent(acme, hooked, receiver)):
        with pytest.raises(REFUSALS):
            verify(message)


@in_python
def test_what_comes_again_later_is_refused(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver, verify: Verify
) -> None:
    message = sent(acme, hooked, receiver)
    with time_machine.travel(timezone.now() + timedelta(minutes=4)):
        verify(message)
    for away in (timedelta(minutes=6), -timedelta(minutes=6)):
        with time_machine.travel(timezone.now() + away), pytest.raises(REFUSALS):
            verify(message)
    cause(acme)
    with pytest.raises(REFUSALS):
        verify(of_the_past(hooked, minutes=6))


@in_python
def test_while_a_secret_is_replaced_either_one_will_do(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver, verify: Verify
) -> None:
    new = services.rotate_secret(endpoint=hooked.endpoint, overlap_seconds=3600)
    message = sent(acme, hooked, receiver)
    assert len(message.headers["webhook-signature"].split(" ")) == 2
    for secret in (hooked.secret, new.secret):
        assert verify(replace(message, secret=secret))["type"] == "key.created"
    newest = services.rotate_secret(endpoint=hooked.endpoint, overlap_seconds=0)
    message = sent(acme, hooked, receiver)
    assert verify(replace(message, secret=newest.secret))
    for secret in (hooked.secret, new.secret):
        with pytest.raises(REFUSALS):
            verify(replace(message, secret=secret))


@in_python
def test_characters_of_any_kind_are_signed_as_they_are_sent(
    acme: Organization, receiver: Receiver, verify: Verify
) -> None:
    listening = endpoint(acme, url=receiver.url, description="Zoë 🎙").endpoint
    hearing = endpoint(acme, url=receiver.url)
    health.disable(listening, because=Endpoint.Disabled.GONE)
    delivering.deliver(hearing.endpoint.pk)
    assert verify(arrived(receiver, hearing.secret))["data"]["description"] == "Zoë 🎙"


@pytest.mark.node
@pytest.mark.timeout(node_programs.INSTALL_SECONDS + 60)
def test_npms_packages_say_the_same(
    acme: Organization, hooked: IssuedSecret, receiver: Receiver, tmp_path: Path
) -> None:
    program = node_programs.Program(node_programs.install(), "webhooks.mjs")
    good = [sent(acme, hooked, receiver)]
    bad = tampered(good[0])
    cause(acme)
    bad.append(of_the_past(hooked, minutes=6))
    new = services.rotate_secret(endpoint=hooked.endpoint, overlap_seconds=3600)
    message = sent(acme, hooked, receiver)
    good += [message, replace(message, secret=new.secret)]
    file = tmp_path / "received.json"
    file.write_text(json.dumps([vars(one) for one in (*good, *bad)]))
    said = program.run(str(file))
    assert said[: len(good)] == [{"standardwebhooks": "key.created", "svix": "key.created"}] * len(good)
    for one in said[len(good) :]:
        assert one == {"standardwebhooks": "WebhookVerificationError", "svix": "WebhookVerificationError"}
