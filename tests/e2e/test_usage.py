"""The usage page in a browser: what is left of the month, tabs, ranges, a chart that reads itself out."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.deployments.models import Deployment
from apps.keys.models import ApiKey
from apps.usage.services import set_limits
from apps.usage.tasks import roll_up
from tests.platform import Tenant
from tests.usage.rows import record

pytestmark = pytest.mark.browser
TABS = ("By day", "By key", "By voice", "By model", "By deployment", "Requests")


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """A year with a request every third day, and most of this month's characters used today."""
    now = timezone.now()
    key = ApiKey.objects.get(name="live")
    shared = Deployment.objects.create(name="shared-cpu", engine="cpu")
    for days in range(0, 365, 3):
        record(
            acme.organization,
            at=now - timedelta(days=days),
            key=key,
            deployment=shared,
            voice="kore",
            ttfb_ms=80.0,
        )
    record(acme.organization, characters=8500, characters_charged=8500)
    set_limits(
        organization=acme.organization,
        requests_per_minute=None,
        concurrent_requests=None,
        characters_per_request=None,
        characters_per_month=10_000,
    )
    roll_up()
    return acme


def sign_in(page: Page, tenant: Tenant) -> None:
    EmailAddress.objects.create(user=tenant.owner, email=tenant.owner.email, verified=True, primary=True)
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(tenant.owner.email)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").first.click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.slow), 390])
def test_a_year_of_usage(page: Page, used: Tenant, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, used)
    expect(page.get_by_text("of this month’s characters are used")).to_be_visible()
    page.get_by_role("link", name="See usage").click()

    meter = page.get_by_role("meter").first
    expect(meter).to_have_attribute("aria-valuenow", re.compile(r"8[5-9]"))
    expect(page.get_by_text(re.compile("of 10.000 · 8"))).to_be_visible()

    page.get_by_role("link", name="365 days").click()
    expect(page.get_by_role("heading", name="By week")).to_be_visible()
    expect(page.locator("[data-readout]")).to_have_text("123 requests in 365 days")
    page.locator("[data-plot]").focus()
    page.keyboard.press("End")
    expect(page.locator("[data-readout]")).to_contain_text(re.compile(r"\d+ \w+ to \d+ \w+: \d+ requests"))

    details = page.get_by_role("navigation", name="Details")
    for name in TABS:
        details.get_by_role("link", name=name).click()
        chosen = details.get_by_role("link", name=name)
        expect(chosen).to_have_attribute("aria-current", "page")
        expect(chosen).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    details.get_by_role("link", name="By voice").click()
    expect(page.get_by_role("row", name=re.compile("kore"))).to_contain_text("122")
    details.get_by_role("link", name="By deployment").click()
    expect(page.locator("main")).to_contain_text("shared, CPU (hibari)")
