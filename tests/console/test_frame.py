"""What stands around every page."""

from __future__ import annotations

import re

import pytest

from apps.accounts.models import Organization, User
from apps.accounts.services import create_organization
from tests.cast import signed_in
from tests.console.deployed import deployed
from tests.usage.rows import record

PAGES = (
    *("/", "/playground", "/voices", "/voices/new", "/voices/terms", "/keys", "/keys/new", "/usage"),
    *("/deployments", "/deployments/new", "/gpus", "/settings", "/webhooks", "/webhooks/new"),
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_nothing_that_the_policy_forbids(alice: User, acme: Organization, path: str) -> None:
    deployed("shared-cpu", model="hibari", voices=["heart"])
    record(acme)
    response = signed_in(alice).get(path)
    html = response.content.decode()
    assert response.status_code == 200
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_title_and_one_main_part(alice: User, acme: Organization, path: str) -> None:
    html = signed_in(alice).get(path).content.decode()
    assert html.count("<h1") == 1
    assert html.count("<main") == 1
    assert 'href="#main"' in html
    identifiers = re.findall(r'\sid="([^"]+)"', html)
    assert len(identifiers) == len(set(identifiers))


def test_the_page_that_is_open_is_marked(alice: User, acme: Organization) -> None:
    html = signed_in(alice).get("/keys/new").content.decode()
    assert re.findall(r'class="rail-link" href="([^"]+)" aria-current="page"', html) == ["/keys"]


def test_the_switch_lists_ones_own_organizations(
    alice: User, acme: Organization, globex: Organization
) -> None:
    create_organization(name="Side project", owner=alice)
    html = signed_in(alice).get("/keys").content.decode()
    assert html.count('action="/organizations/switch"') == 2
    assert "Side project" in html
    assert "Globex" not in html


def test_only_staff_see_the_way_to_admin(alice: User, acme: Organization) -> None:
    assert 'href="/admin/"' not in signed_in(alice).get("/keys").content.decode()
    alice.is_staff = True
    alice.save()
    assert 'href="/admin/"' in signed_in(alice).get("/keys").content.decode()


@pytest.mark.parametrize("is_demo", [True, False])
def test_demo_mode_says_so(alice: User, acme: Organization, settings: object, is_demo: bool) -> None:
    settings.DEMO_MODE = is_demo  # type: ignore[attr-defined]
    assert ('data-banner="demo"' in signed_in(alice).get("/keys").content.decode()) is is_demo
