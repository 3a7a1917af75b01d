"""The docs: pages for whoever is signed in, true to the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from apps.accounts.models import Organization, User
from apps.console.docs.errors import GROUPS
from apps.console.docs.pages import PAGES, DocsPage
from apps.tts.native import SpeechSerializer
from tests.cast import signed_in

APPS = Path(__file__).resolve().parent.parent.parent / "apps"
SAID = {error.code for group in GROUPS for error in group.errors}
# Of providers' own, which no API answers with; and those that only a record carries.
INTERNAL = re.compile(r"provider_.*|process_died|worker_.*|settlement_pending|too_many_losses")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug or "quickstart")
def test_a_page_shows_the_readers_own_address(alice: User, acme: Organization, page: DocsPage) -> None:
    response = signed_in(alice).get(page.url)
    assert response.status_code == 200
    shown = response.content.decode()
    assert page.title in shown
    assert "BASE_URL" not in shown
    if "<pre" in shown:
        assert "http://testserver" in shown


def test_who_is_not_signed_in_is_sent_to_sign_in(db: None) -> None:
    assert Client().get("/docs").status_code == 302


def test_a_page_that_is_not_there(alice: User, acme: Organization) -> None:
    assert signed_in(alice).get("/docs/nothing").status_code == 404


def test_every_field_of_generate_is_explained(alice: User, acme: Organization) -> None:
    shown = signed_in(alice).get("/docs").content.decode()
    for name, field in SpeechSerializer().fields.items():
        assert f"<code>{name}</code>" in shown
        assert field.help_text, name


def test_every_code_that_an_api_answers_with_is_explained() -> None:
    named = re.compile(r'code="([a-z_]+)"|^    code = "([a-z_]+)"', re.MULTILINE)
    # What goes wrong at a provider is told as a deployment's own error, in words.
    modules = (path for path in APPS.rglob("*.py") if "providers" not in path.parts)
    found = (named.findall(path.read_text()) for path in modules)
    used = {first or second for pairs in found for first, second in pairs}
    missing = {code for code in used - SAID if not INTERNAL.fullmatch(code)}
    assert missing == set()
