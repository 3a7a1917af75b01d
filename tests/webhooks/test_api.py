"""/api/webhooks and what is done with one endpoint; who may ask for what, and of whose."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Membership, Organization, User
from apps.webhooks.models import Delivery, Endpoint, EndpointSecret
from apps.webhooks.services import MAX_ENDPOINTS, IssuedSecret
from tests.cast import signed_in
from tests.keys.api_client import ApiClient, error_of
from tests.webhooks.rows import URL, delivery, endpoint, path_of, path_of_delivery

PATH = "/api/webhooks"
FIELDS = {
    "id", "url", "description", "events", "header_names", "rate_limit_per_minute", "state", "disabled_at",
    "disabled_because", "failing_since", "last_success_at", "previous_secret_expires_at", "created_at",
    "updated_at",
}  # fmt: skip
TOKEN = "Bearer token-of-acme"


@pytest.fixture
def api(acme: Organization) -> ApiClient:
    return ApiClient(acme)


@pytest.fixture
def one(acme: Organization) -> IssuedSecret:
    return endpoint(acme, headers={"Authorization": TOKEN})


# ---- adding ------------------------------------------------------------------------------------------


def test_a_new_ones_secret_is_shown_this_once(api: ApiClient, acme: Organization) -> None:
    response = api.post(PATH, {"url": URL})
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    told = response.json()
    assert set(told) == FIELDS | {"secret"}
    made = Endpoint.objects.get()
    assert (told["id"], made.organization, made.created_by) == (str(made.pk), acme, None)
    assert told["secret"] == EndpointSecret.objects.get().secret
    assert told["secret"].startswith("whsec_")
    assert (told["state"], told["events"], told["header_names"]) == ("enabled", [], [])
    for path in (PATH, path_of(made.pk)):
        shown = api.get(path).content.decode()
        assert told["secret"] not in shown
        assert '"secret"' not in shown


def test_everything_that_can_be_asked_for(api: ApiClient) -> None:
    asked = {
        "url": "https://EXAMPLE.com:443/a?b=c",
        "description": "  Production   receiver ",
        "events": ["deployment.*", "key.created", "key.created"],
        "headers": {"Authorization": TOKEN, "X-Route": "blue"},
        "rate_limit_per_minute": 60_000,
    }
    response = api.post(PATH, asked)
    assert response.status_code == 201, response.content
    told = response.json()
    assert (told["url"], told["description"]) == ("https://example.com/a?b=c", "Production receiver")
    assert told["events"] == ["deployment.*", "key.created"]
    assert told["header_names"] == ["authorization", "x-route"]
    assert told["rate_limit_per_minute"] == 60_000
    assert TOKEN not in response.content.decode()
    assert Endpoint.objects.get().own_headers == {"authorization": TOKEN, "x-route": "blue"}


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    *(({"url": url}, "url") for url in (None, "", 5, [], "nonsense", "http://example.com/", "ftp://a.b/")),
    *(({"url": url}, "url") for url in ("https://127.0.0.1/", "https://[::1]/", "https://a@example.com/")),
    *(({"url": url}, "url") for url in ("https://a.com/\x00", "https://a.com/\ud800", "https://a.com/#b")),
    ({"url": f"https://example.com/{'x' * 2000}"}, "url"),
    *(
        ({"description": text}, "description")
        for text in (5, None, [], "x" * 201, "nul\x00", "\ud800", "\x1b")
    ),
    ({"events": "key.created"}, "events"),
    ({"events": None}, "events"),
    ({"events": ["key.created"] * 51}, "events"),
    ({"events": [5]}, "events.0"),
    ({"events": ["x" * 65]}, "events.0"),
    ({"events": ["nul\x00"]}, "events.0"),
    ({"events": ["\ud800"]}, "events.0"),
    *(({"events": [word]}, "events") for word in ("key.made", "key", "nothing.*", "key.c*", "*.created")),
    *(({"headers": value}, "headers") for value in (None, [], "a: b", 5)),
    *(({"headers": {name: "v"}}, "headers") for name in ("", "a b", "a:b", "ü", "\ud800", "\x00", "x" * 65)),
    *(({"headers": {name: "v"}}, "headers") for name in ("Host", "content-length", "Webhook-Id", "TE")),
    *(({"headers": {"a": value}}, "headers") for value in ("", None, 5, {}, "a\r\nb: c", "ü", "x" * 1001)),
    ({"headers": {"a": "1", "A": "2"}}, "headers"),
    ({"headers": {f"x-{number}": "v" for number in range(21)}}, "headers"),
    *(
        ({"rate_limit_per_minute": value}, "rate_limit_per_minute")
        for value in (0, -1, 60_001, 10**30, 1.5, "60", True, [])
    ),
    ({"secret": "whsec_mine"}, "secret"),
    ({"\ud800": 1}, "?"),
]


@pytest.mark.parametrize(("wrong", "param"), WRONG_FIELDS, ids=map(str, range(len(WRONG_FIELDS))))
def test_a_wrong_field_is_named_and_changes_nothing(
    api: ApiClient, one: IssuedSecret, wrong: dict[str, Any], param: str
) -> None:
    before = Endpoint.objects.values().get()
    for answer in (api.post(PATH, {"url": URL} | wrong), api.patch(path_of(one.endpoint.pk), wrong)):
        error = error_of(answer, 400)
        assert error["param"] == param
        assert error["message"]
    assert Endpoint.objects.values().get() == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"n"', b"\xff", b"[" * 50_000, b'{"url": NaN}'])
def test_a_body_that_is_no_object(api: ApiClient, one: IssuedSecret, body: bytes) -> None:
    for path in (PATH, *(path_of(one.endpoint.pk, step) for step in ("test", "recover"))):
        assert error_of(api.post(path, body), 400)["code"] in {"invalid_json", "invalid_request"}
    assert Endpoint.objects.count() == 1


def test_json_only(api: ApiClient) -> None:
    response = api._client.post(PATH, {"url": URL}, headers=api._headers)
    assert error_of(response, 415)["code"] == "unsupported_media_type"


def test_so_many_and_no_more(api: ApiClient, acme: Organization) -> None:
    for _ in range(MAX_ENDPOINTS):
        made = endpoint(acme).endpoint
    assert error_of(api.post(PATH, {"url": URL}), 409)["code"] == "conflict"
    assert api.delete(path_of(made.pk)).status_code == 204
    assert api.post(PATH, {"url": URL}).status_code == 201


# ---- looking -----------------------------------------------------------------------------------------


def test_ones_own_are_listed_newest_first(api: ApiClient, acme: Organization, globex: Organization) -> None:
    for name, owner in (("first", acme), ("second", acme), ("theirs", globex), ("gone", acme)):
        made = endpoint(owner, description=name).endpoint
    api.delete(path_of(made.pk))
    body = api.get(PATH).json()
    assert [row["description"] for row in body["results"]] == ["second", "first"]
    assert (body["next"], body["previous"]) == (None, None)
    assert all(set(row) == FIELDS for row in body["results"])
    page = api.get(PATH, page_size=1).json()
    following = api.get(page["next"].partition("testserver")[2]).json()
    assert [row["description"] for row in following["results"]] == ["first"]
    for cursor in ("nonsense", "cD1ub25zZW5zZQ=="):
        assert error_of(api.get(PATH, cursor=cursor), 400)["param"] == "cursor"


def test_queries_do_not_grow_with_endpoints(
    api: ApiClient, acme: Organization, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        endpoint(acme)
    api.get(PATH)
    with django_assert_num_queries(2):  # the organization, the page
        assert len(api.get(PATH).json()["results"]) == 5


def test_how_it_stands(api: ApiClient, one: IssuedSecret) -> None:
    path, now = path_of(one.endpoint.pk), timezone.now()
    Endpoint.objects.update(failing_since=now, last_success_at=now - timedelta(hours=1))
    told = api.get(path).json()
    assert (told["state"], told["disabled_because"], told["disabled_at"]) == ("failing", None, None)
    assert told["failing_since"] > told["last_success_at"]
    Endpoint.objects.update(disabled_at=now, disabled_because="gone")
    told = api.get(path).json()
    assert (told["state"], told["disabled_because"]) == ("disabled", "gone")
    assert told["disabled_at"] is not None


# ---- changing ----------------------------------------------------------------------------------------


def test_what_is_left_out_stays(api: ApiClient, one: IssuedSecret) -> None:
    path = path_of(one.endpoint.pk)
    asked = {"url": "https://hooks.example.com/new", "events": ["job.*"], "rate_limit_per_minute": 30}
    before = api.patch(path, asked).json()
    assert {name: before[name] for name in asked} == asked
    assert before["header_names"] == ["authorization"]
    after = api.patch(path, {"description": "Second"}).json()
    assert after | {"updated_at": None} == before | {"description": "Second", "updated_at": None}
    assert api.patch(path, {}).status_code == 200
    lifted = api.patch(path, {"rate_limit_per_minute": None, "events": [], "description": ""}).json()
    assert (lifted["rate_limit_per_minute"], lifted["events"], lifted["description"]) == (None, [], "")
    assert api.get(path).json() == lifted


def test_headers_are_replaced_together(api: ApiClient, one: IssuedSecret) -> None:
    path = path_of(one.endpoint.pk)
    assert api.patch(path, {"headers": {"X-Route": "blue"}}).json()["header_names"] == ["x-route"]
    assert Endpoint.objects.get().own_headers == {"x-route": "blue"}
    assert api.patch(path, {"headers": {}}).json()["header_names"] == []


@pytest.mark.parametrize(
    "url",
    [
        f"https://{host}/voice"
        for host in ("evil.example.com", "hooks.example.com:8443", "hooks.example.com.x.net")
    ],
)
def test_headers_do_not_follow_to_another_host(api: ApiClient, one: IssuedSecret, url: str) -> None:
    path = path_of(one.endpoint.pk)
    refused = api.patch(path, {"url": url})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "headers")
    assert Endpoint.objects.get().url == "https://hooks.example.com/voice"
    assert api.patch(path, {"url": url, "headers": {}}).json()["header_names"] == []
    assert api.patch(path, {"url": "https://hooks.example.com/voice"}).status_code == 200


def test_a_deleted_one_is_gone_with_its_secrets(api: ApiClient, one: IssuedSecret) -> None:
    waiting = delivery(one.endpoint)
    response = api.delete(path_of(one.endpoint.pk))
    assert (response.status_code, response.content) == (204, b"")
    assert not EndpointSecret.objects.exists()
    assert Endpoint.objects.get().headers == ""
    for answer in (
        api.get(path_of(one.endpoint.pk)),
        api.delete(path_of(one.endpoint.pk)),
        api.patch(path_of(one.endpoint.pk), {}),
        *(api.post(path_of(one.endpoint.pk, step), {}) for step in ("enable", "rotate", "test", "recover")),
        api.get(path_of_delivery(waiting.pk)),
        api.post(path_of_delivery(waiting.pk, "resend"), {}),
    ):
        assert error_of(answer, 404)["code"] == "not_found"


def test_disabled_and_enabled_again(api: ApiClient, one: IssuedSecret) -> None:
    path = path_of(one.endpoint.pk)
    for _ in range(2):
        told = api.post(f"{path}/disable", {}).json()
        assert (told["state"], told["disabled_because"]) == ("disabled", "by_person")
    assert error_of(api.post(f"{path}/test", {"type": "key.created"}), 409)["code"] == "endpoint_disabled"
    assert error_of(api.post(f"{path}/recover", {"since": "2026-11-01T00:00:00Z"}), 409)
    for _ in range(2):
        told = api.post(f"{path}/enable", {}).json()
        assert (told["state"], told["disabled_because"], told["disabled_at"]) == ("enabled", None, None)


# ---- rotating ----------------------------------------------------------------------------------------


def test_a_new_secret_beside_the_old_one(api: ApiClient, one: IssuedSecret) -> None:
    path = path_of(one.endpoint.pk)
    response = api.post(f"{path}/rotate", {"overlap_seconds": 3600})
    assert (response.status_code, response["Cache-Control"]) == (201, "no-store")
    told = response.json()
    assert set(told) == FIELDS | {"secret"}
    assert told["secret"] not in {one.secret, ""}
    ends = timezone.now() + timedelta(hours=1)
    until = EndpointSecret.objects.exclude(expires_at=None).get().expires_at
    assert until is not None
    assert abs(until - ends) < timedelta(seconds=30)
    shown = api.get(path).json()
    assert shown["previous_secret_expires_at"] == told["previous_secret_expires_at"] is not None
    assert told["secret"] not in api.get(PATH).content.decode()
    EndpointSecret.objects.filter(expires_at=until).update(expires_at=timezone.now())
    assert api.get(path).json()["previous_secret_expires_at"] is None


def test_a_day_where_nothing_is_said_and_at_once_where_that_is(api: ApiClient, one: IssuedSecret) -> None:
    path = path_of(one.endpoint.pk, "rotate")
    assert api.post(path, {}).json()["previous_secret_expires_at"] is not None
    assert api.post(path, {"overlap_seconds": 0}).json()["previous_secret_expires_at"] is None
    assert EndpointSecret.objects.count() == 1


@pytest.mark.parametrize("overlap", [-1, 7 * 86_400 + 1, 10**30, "60", 1.5, True, None, []])
def test_an_overlap_that_makes_no_sense(api: ApiClient, one: IssuedSecret, overlap: Any) -> None:
    response = api.post(path_of(one.endpoint.pk, "rotate"), {"overlap_seconds": overlap})
    assert error_of(response, 400)["param"] == "overlap_seconds"
    assert EndpointSecret.objects.get().secret == one.secret


# ---- who ---------------------------------------------------------------------------------------------


def everything(endpoint_id: UUID, delivery_id: UUID) -> list[tuple[str, str, dict[str, Any]]]:
    one, its = path_of(endpoint_id), path_of_delivery(delivery_id)
    return [
        ("GET", one, {}),
        ("GET", f"{one}/deliveries", {}),
        ("GET", its, {}),
        ("PATCH", one, {"description": "mine"}),
        ("POST", f"{one}/enable", {}),
        ("POST", f"{one}/disable", {}),
        ("POST", f"{one}/rotate", {}),
        ("POST", f"{one}/test", {"type": "key.created"}),
        ("POST", f"{one}/recover", {"since": "2026-11-01T00:00:00Z"}),
        ("POST", f"{its}/resend", {}),
        ("POST", f"{its}/cancel", {}),
        ("DELETE", one, {}),
    ]


def call(api: ApiClient, method: str, path: str, body: dict[str, Any]) -> Any:
    return getattr(api, method.lower())(path, *([] if method in {"GET", "DELETE"} else [body]))


def state_of_all() -> list[Any]:
    models = (Endpoint, EndpointSecret, Delivery)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def test_another_organizations_are_not_there_on_any_path(api: ApiClient, globex: Organization) -> None:
    theirs = endpoint(globex).endpoint
    waiting = delivery(theirs)
    before = state_of_all()
    for (method, path, body), (_, nowhere, _) in zip(
        everything(theirs.pk, waiting.pk), everything(uuid4(), uuid4()), strict=True
    ):
        found = error_of(call(api, method, path, body), 404)
        unknown = error_of(call(api, method, nowhere, body), 404)
        assert (found["code"], found["message"]) == (unknown["code"], unknown["message"]), path
    assert state_of_all() == before
    own = endpoint(api.issued.key.organization).endpoint
    assert api.get(path_of(own.pk, "deliveries")).json()["results"] == []
    assert api.post(path_of(own.pk, "recover"), {"since": "2026-11-01T00:00:00Z", "include_missing": True})
    assert not Delivery.objects.filter(endpoint=own).exclude(organization=own.organization).exists()


def test_a_path_that_holds_no_id(api: ApiClient) -> None:
    for word in ("nonsense", "5", str(uuid4()).upper(), f"{uuid4()}0", "%00", "deliveries"):
        assert error_of(api.get(f"{PATH}/{word}"), 404)["code"] == "not_found"
        assert error_of(api.get(f"{PATH}/deliveries/{word}"), 404)["code"] == "not_found"
    assert error_of(api.get(f"{PATH}/"), 404)


def test_without_a_key_and_without_the_scope(acme: Organization, one: IssuedSecret) -> None:
    waiting = delivery(one.endpoint)
    speaker, before = ApiClient(acme, scopes=["speech"]), state_of_all()
    asked = [("GET", PATH, {}), ("POST", PATH, {"url": URL}), ("GET", f"{PATH}/events", {})]
    for method, path, body in [*asked, *everything(one.endpoint.pk, waiting.pk)]:
        refused = call(speaker, method, path, body)
        assert error_of(refused, 403)["code"] == "missing_scope"
        assert refused["X-Required-Scope"] == "manage"
        assert error_of(Client().generic(method, path), 401)["code"] == "missing_api_key"
    assert state_of_all() == before


def test_a_test_key_manages_as_a_live_one_does(acme: Organization) -> None:
    assert ApiClient(acme, mode="test").post(PATH, {"url": URL}).status_code == 201


def test_members_read_and_managers_write_in_their_own_name(
    acme: Organization, alice: User, bob: User, one: IssuedSecret
) -> None:
    waiting = delivery(one.endpoint)
    member, before = signed_in(bob), state_of_all()
    for method, path, _ in [("POST", PATH, {}), *everything(one.endpoint.pk, waiting.pk)]:
        answer = member.generic(method, path, b"{}", content_type="application/json")
        if method == "GET":
            assert answer.status_code == 200
        else:
            assert error_of(answer, 403)["code"] == "permission_denied"
    assert state_of_all() == before
    unsure = signed_in(alice, enforce_csrf_checks=True)
    body = {"data": f'{{"url": "{URL}"}}'.encode(), "content_type": "application/json"}
    assert "CSRF" in error_of(unsure.post(PATH, **body), 403)["message"]
    Membership.objects.filter(user=bob).update(role=Membership.Role.ADMIN)
    for person in (alice, bob):
        response = signed_in(person).post(PATH, **body)
        assert response.status_code == 201
        assert Endpoint.objects.get(pk=response.json()["id"]).created_by == person
