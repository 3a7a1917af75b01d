"""Two organizations: whoever asks for acme's things from outside finds a login or nothing, at every URL."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import Organization, User
from apps.keys.services import issue_key
from apps.webhooks.models import Delivery
from tests.cast import charlie, globex, signed_in
from tests.tenancy.possessions import Possessions, make_possessions, path_of
from tests.tenancy.urlconf import Route, routes

__all__ = ["charlie", "globex"]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROUTES = routes()
SECTIONS = {
    section: list(found) for section, found in groupby(ROUTES, key=lambda route: route.text.split("/")[0])
}
# Speech is served by the ASGI process, which says so here; tests/api asks it through a server.
NOT_HERE = (
    *("/generate", "/playground/speech", "/v1"),
    *("/elevenlabs/v1/text-to-speech/", "/elevenlabs/v1/models", "/elevenlabs/^"),
)


@pytest.fixture
def owned(db: None) -> Possessions:
    cache.clear()  # allauth counts attempts
    return make_possessions()


def anonymous(outsider: User, organization: Organization) -> Client:
    return Client()


def of_another_organization(outsider: User, organization: Organization) -> Client:
    return signed_in(outsider)


def with_another_organizations_key(outsider: User, organization: Organization) -> Client:
    scopes = ["speech", "manage"]
    issued = issue_key(organization=organization, name="n", mode="live", scopes=scopes, created_by=None)
    return Client(headers={"X-API-Key": issued.secret})


def ask(client: Client, method: str, path: str, owned: Possessions) -> Any:
    """With a form that names acme wherever a form could."""
    form = {"name": "walked", "confirm": "yes"}
    if not path.startswith("/accounts/"):  # a form that is refused shows what was typed
        form["organization"] = str(owned[Organization].pk)
    if method == "GET":
        return client.get(path)
    if path.startswith("/api/") or method != "POST":
        return client.generic(method, path, json.dumps(form), content_type="application/json")
    return client.post(path, form)


def body_of(response: Any) -> str:
    content: bytes = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode(errors="replace") + response.get("Location", "")


def is_refusal(response: Any, route: Route, caller: str) -> bool:
    """404 for what is another's; a login or 401 for who did not say who they are; 405 for what nobody may."""
    to_login = response.status_code == 302 and "/login/" in response["Location"]
    if route.is_admin:
        if route.text in {"admin/login/", "admin/logout/"}:
            return response.status_code in {200, 302, 403, 405}
        return to_login or response.status_code in {403, 404, 405}
    if route.text.startswith("accounts/"):
        return response.status_code in {200, 302, 405}
    if route.text.startswith("elevenlabs/"):  # a key alone opens it, not a session
        return response.status_code in ({404, 405} if caller == "with_another_organizations_key" else {401})
    if route.text.startswith("api/contributions/") and caller == "with_another_organizations_key":
        return response.status_code in {401, 404, 405}  # for people, who sign in
    if caller == "of_another_organization" or (
        caller == "with_another_organizations_key" and route.text.startswith("api/")
    ):
        return response.status_code in {404, 405}
    return to_login or response.status_code in {401, 404, 405}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section or "home")
@pytest.mark.parametrize(
    "caller", [anonymous, of_another_organization, with_another_organizations_key], ids=lambda f: f.__name__
)
def test_from_outside_there_is_nothing_of_acme(
    owned: Possessions,
    globex: Organization,
    charlie: User,
    section: str,
    caller: Callable[[User, Organization], Client],
) -> None:
    client, before, marks = caller(charlie, globex), owned.state(), owned.marks()
    for route in SECTIONS[section]:
        path = path_of(route, owned)
        for method in METHODS:
            response = ask(client, method, path, owned)
            where = f"{method} {path} ({route.text}): {response.status_code}"
            assert response.status_code < 500 or path.startswith(NOT_HERE), where
            if "logout" in path:
                client = caller(charlie, globex)
            told = body_of(response).replace(path, "")
            assert [mark for mark in marks if mark in told] == [], where
            if (route.has_parameters or route.is_admin) and not path.startswith(NOT_HERE):
                assert is_refusal(response, route, caller.__name__), where
    assert owned.state() == before


def test_the_marks_are_seen_by_who_may_see_them(owned: Possessions) -> None:
    """The walk would find nothing in pages that show nothing to anybody."""
    owner: User = owned[User]
    client = signed_in(owner)
    for path in (
        "/",
        "/keys",
        "/usage?tab=requests",
        "/settings",
        "/deployments",
        "/deployments/budget",
        "/api/deployments",
        "/api/spending",
        "/api/keys",
        "/api/usage",
        "/api/voices",
        "/voices",
        "/api/webhooks",
        "/contribute",
        "/contribute/data/export",
        "/api/contributions/clips",
        f"/api/webhooks/deliveries/{owned[Delivery].pk}",
    ):
        told = body_of(client.get(path))
        assert any(mark in told for mark in owned.marks()), path
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    for route in ROUTES:
        if route.is_admin and route.text.endswith("<path:object_id>/change/"):
            response = signed_in(owner).get(path_of(route, owned))
            assert response.status_code == 200, route.text


def test_one_organization_cannot_be_switched_to_from_outside(owned: Possessions, charlie: User) -> None:
    client = signed_in(charlie)
    response = client.post("/organizations/switch", {"organization": owned[Organization].pk})
    assert response.status_code == 404
    assert "organization_id" not in client.session


def test_a_url_that_nobody_gave_an_example_for_fails_the_walk(owned: Possessions) -> None:
    with pytest.raises(AssertionError, match="No example for api/things"):
        path_of(Route("api/things/<uuid:thing_id>"), owned)
