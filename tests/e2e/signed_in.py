"""A browser that is signed in, without the walk through the sign-in pages."""

from __future__ import annotations

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from tests.platform import Tenant


def sign_in(page: Page, tenant: Tenant) -> None:
    """As the owner of the organization."""
    client = Client()
    client.force_login(tenant.owner)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": tenant.server.url}])
