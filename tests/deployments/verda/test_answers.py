"""What answers are taken for, by a transport against a server that answers anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.deployments.providers.verda.errors import (
    Conflict,
    InsufficientFunds,
    NotFound,
    NotUnderstood,
    ServerError,
    VerdaError,
)
from tests.deployments.verda.scripted import Reply, Scripted
from tests.deployments.verda.sending import TOKEN, Time, call, transport

PAGE = b"<html><body>502 Bad Gateway</body></html>"


def test_a_page_with_502_is_a_server_error() -> None:
    with Scripted(Reply(502, PAGE, "text/html")) as server, pytest.raises(ServerError) as caught:
        transport(Time(), attempts=1).send(call(server))
    assert (caught.value.status, caught.value.code) == (502, "server_error")
    assert "html" not in str(caught.value)


def test_a_page_with_200_is_not_understood() -> None:
    with Scripted(Reply(200, PAGE, "text/html")) as server:
        answer = transport(Time()).send(call(server))
    with pytest.raises(NotUnderstood) as caught:
        answer.json()
    assert caught.value.code == "not_understood"


def test_a_page_with_404_does_not_say_that_something_is_gone() -> None:
    with Scripted(Reply(404, PAGE, "text/html")) as server, pytest.raises(NotUnderstood):
        transport(Time()).send(call(server))


def test_an_empty_404_says_that_something_is_gone() -> None:
    with Scripted(Reply(404, b"")) as server, pytest.raises(NotFound):
        transport(Time()).send(call(server))


def test_redirects_are_not_followed() -> None:
    with Scripted(Reply(302, headers={"Location": "/elsewhere"})) as server, pytest.raises(NotUnderstood):
        transport(Time()).send(call(server))
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("body", "kind", "code", "words"),
    [
        (
            b'{"code":"insufficient_funds","message":"Top up"}',
            InsufficientFunds,
            "insufficient_funds",
            "Top up",
        ),
        (b'{"message":"Not enough"}', InsufficientFunds, "insufficient_funds", "Not enough"),
        (b'{"message":["a is wrong","b too"]}', InsufficientFunds, "insufficient_funds", "a is wrong; b too"),
        (b"[]", InsufficientFunds, "insufficient_funds", "without a reason"),
    ],
)
def test_an_error_says_what_verda_said(body: bytes, kind: type[VerdaError], code: str, words: str) -> None:
    with Scripted(Reply(402, body)) as server, pytest.raises(kind) as caught:
        transport(Time()).send(call(server, "POST"))
    assert caught.value.code == code
    assert words in str(caught.value)
    assert "POST /thing" in str(caught.value)


def test_a_plain_400_may_say_what_it_is_about() -> None:
    body = b'{"code":"insufficient_funds","message":"no"}'
    with Scripted(Reply(400, body)) as server, pytest.raises(InsufficientFunds) as caught:
        transport(Time()).send(call(server))
    assert caught.value.status == 400


def test_a_conflict_has_one_code_whatever_verda_calls_it() -> None:
    with Scripted(Reply(409, b'{"code":"invalid_request"}')) as server, pytest.raises(Conflict) as caught:
        transport(Time()).send(call(server, "POST"))
    assert caught.value.code == "conflict"


def test_secrets_are_struck_out_of_words() -> None:
    body = f'{{"message":"token {TOKEN} and value hunter22 are bad\\u0000\\n"}}'.encode()
    with Scripted(Reply(400, body)) as server, pytest.raises(VerdaError) as caught:
        transport(Time()).send(call(server, "POST", secrets=("hunter22",)))
    assert str(caught.value).endswith("token ••• and value ••• are bad")
    assert TOKEN not in repr(call(server))


def test_numbers_are_exact() -> None:
    with Scripted(Reply(body=b'{"price": 0.1}')) as server:
        assert str(transport(Time()).send(call(server)).json()["price"]) == "0.1"


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff\xfe", b"", b"{'a': 1}"])
def test_what_is_no_json_is_not_understood(body: bytes) -> None:
    with Scripted(Reply(body=body)) as server:
        answer = transport(Time()).send(call(server, "POST"))
    with pytest.raises(NotUnderstood) as caught:
        answer.json()
    assert caught.value.outcome_unknown


def test_what_is_read_wrongly_names_the_call() -> None:
    def parse(answer: Any) -> None:
        raise NotUnderstood("No name.")

    reader: Callable[[Any], None] = parse
    with Scripted() as server:
        answer = transport(Time()).send(call(server, "POST"))
    with pytest.raises(NotUnderstood, match=r"No name\. \(Answer to POST /thing\.\)") as caught:
        answer.read(reader)
    assert caught.value.outcome_unknown
