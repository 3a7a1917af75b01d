"""What can be done with a deployment, on a telephone: its menu says what it is, and opens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from apps.deployments.states import State
from tests.deployments.tables import deployment
from tests.e2e.signed_in import sign_in
from tests.platform import Tenant

pytestmark = pytest.mark.browser
WIDTH = 390


def test_the_menu_of_a_narrow_screen(page: Page, acme: Tenant) -> None:
    page.set_viewport_size({"width": WIDTH, "height": 800})
    sign_in(page, acme)
    for state, first_action in ((State.READY, ""), (State.STOPPED, "Start")):
        made = deployment(f"reader-{state}", organization=acme.organization, state=state)
        page.goto(f"/deployments/{made.pk}")
        menu = page.locator("details.menu").filter(has_text="Delete")
        if first_action:
            expect(page.get_by_role("button", name=first_action)).to_be_visible()
            expect(menu.locator("summary .narrow-icon")).to_be_visible()
        else:
            expect(menu.get_by_text("Actions", exact=True)).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
        menu.locator("summary").click()
        expect(menu.get_by_role("link", name="Delete")).to_be_in_viewport()
