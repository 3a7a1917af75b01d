"""Webhooks in the browser, against the real server, the process that sends, and a receiver on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks import Webhook, WebhookVerificationError

from apps.webhooks.models import Delivery, Endpoint
from tests.e2e.signed_in import sign_in
from tests.platform import Server, Tenant, test_database_url, until
from tests.webhooks.receiver import Received, Receiver, Reply, running_receiver
from tests.webhooks.sender import Sender

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

HOSTILE = b"<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"


@pytest.fixture(scope="module")
def server(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One that lets customers' URLs lead to this machine."""
    with django_db_blocker.unblock():
        url = test_database_url()
    running = Server(tmp_path_factory.mktemp("webhooks"), url, OUTBOUND_ALLOWED_NETWORKS="127.0.0.0/8")
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def sender(acme: Tenant, server: Server) -> Iterator[Sender]:
    with Sender(server.folder, BASE_URL=server.url) as running:
        yield running


def verified(secret: str, received: Received) -> Any:
    return Webhook(secret).verify(received.body, received.headers)


def send_test(page: Page, name: str) -> None:
    page.get_by_role("link", name="Send test").click()
    page.get_by_label("Event", exact=True).select_option(name)
    page.get_by_role("button", name="Send test event").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def copied_secret(page: Page) -> str:
    page.get_by_role("button", name="Copy the secret").click()
    secret = page.evaluate("navigator.clipboard.readText()")
    assert isinstance(secret, str)
    assert secret.startswith("whsec_")
    return secret


def test_an_endpoint_from_its_first_event_to_its_last(
    page: Page, acme: Tenant, sender: Sender, receiver: Receiver
) -> None:
    sign_in(page, acme)
    # Added, its secret shown once.
    page.goto("/")
    page.get_by_role("link", name="Webhooks").click()
    expect(page.get_by_role("heading", name="No endpoints yet")).to_be_visible()
    page.get_by_role("link", name="Add endpoint").first.click()
    page.get_by_label("URL").fill(receiver.url)
    page.get_by_label("Description").fill("Production")
    page.get_by_role("radio", name="Chosen ones").check()
    page.get_by_role("checkbox", name="key.created").check()
    page.get_by_role("checkbox", name="Deployments deployment.*").check()
    page.get_by_text("Headers and rate limit").click()
    page.get_by_label("Headers").fill("X-Route: blue")
    page.get_by_role("button", name="Add endpoint").click()
    secret = copied_secret(page)
    page.get_by_role("tab", name="JavaScript").click()
    expect(page.locator("#verify-code-javascript")).to_contain_text("standardwebhooks")
    # A reload asks for the endpoint, not for another one.
    page.reload()
    expect(page.get_by_role("heading", name="Nothing sent yet")).to_be_visible()
    assert secret not in page.content()
    endpoint = Endpoint.objects.get()
    assert sorted(endpoint.events) == ["deployment.*", "key.created"]

    # A test event arrives, signed, and its page says so by itself.
    send_test(page, "voice.created")
    expect(page.locator("#delivery-now").get_by_text("Delivered")).to_be_visible(timeout=15_000)
    [first] = receiver.wait_for(1)
    assert verified(secret, first)["test"] is True
    assert first.headers["x-route"] == "blue"
    expect(page.get_by_text("Attempt 1")).to_be_visible()
    page.get_by_text("Request headers").click()
    expect(page.get_by_text("x-route")).to_be_visible()
    expect(page.get_by_text("blue")).to_have_count(0)
    page.get_by_role("button", name="Copy the body as it is sent").click()
    assert page.evaluate("navigator.clipboard.readText()") == first.body.decode()

    # The log shows a real event while one looks at it; focus stays where it is.
    page.goto(f"/webhooks/{endpoint.pk}")
    link = page.get_by_role("link", name="voice.created")
    link.focus()
    answer = acme.api("POST", "/api/keys", json={"name": "From a program", "scopes": ["speech"]})
    assert answer.status_code == 201, answer.text
    row = page.get_by_role("row", name="key.created")
    expect(row.get_by_text("Delivered")).to_be_visible(timeout=15_000)
    expect(link).to_be_focused()
    assert verified(secret, receiver.wait_for(2)[1])["data"]["name"] == "From a program"

    # It fails, and says hostile things.
    receiver.answer(Reply(500, HOSTILE, {"X-Said": "<b>no</b>"}))
    send_test(page, "job.failed")
    expect(page.get_by_text("It answered 500.").first).to_be_visible(timeout=15_000)
    expect(page.get_by_text("document.title = 'taken'").first).to_be_visible()
    assert page.title().startswith("job.failed")
    page.goto(f"/webhooks/{endpoint.pk}")
    expect(page.locator("#webhook-now").get_by_text("Failing")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("row", name="job.failed").get_by_text("Waiting")).to_be_visible()

    # It works again: sent once more by hand.
    receiver.answer(Reply())
    page.get_by_role("link", name="job.failed").click()
    page.get_by_role("button", name="Resend").click()
    expect(page.locator("#delivery-now").get_by_text("Delivered")).to_be_visible(timeout=15_000)
    ids = [arrived.headers["webhook-id"] for arrived in receiver.received if b'"job.failed"' in arrived.body]
    assert len(ids) > 1
    assert len(set(ids)) == 1

    # The secret is replaced: both sign for a while.
    page.goto(f"/webhooks/{endpoint.pk}?tab=secret")
    page.get_by_label("The old secret signs on for").select_option("3600")
    page.get_by_role("button", name="Rotate secret").click()
    newer = copied_secret(page)
    assert newer != secret
    page.get_by_role("link", name="I have copied it").click()
    count = len(receiver.received)
    send_test(page, "voice.deleted")
    last = receiver.wait_for(count + 1)[-1]
    assert verified(secret, last) == verified(newer, last)
    page.goto(f"/webhooks/{endpoint.pk}?tab=secret")
    page.get_by_label("The old secret signs on for").select_option("0")
    page.get_by_role("button", name="Rotate secret").click()
    newest = copied_secret(page)
    page.get_by_role("link", name="I have copied it").click()
    send_test(page, "voice.deleted")
    last = receiver.wait_for(count + 2)[-1]
    assert verified(newest, last)
    with pytest.raises(WebhookVerificationError):
        verified(newer, last)

    # Disabled, what happens is missed, and then sent after all.
    page.goto(f"/webhooks/{endpoint.pk}?tab=settings")
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("Somebody of your organization disabled it.")).to_be_visible()
    acme.api("POST", "/api/keys", json={"name": "Missed", "scopes": ["speech"]}).raise_for_status()
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("link", name="Send test")).to_be_visible()
    count = len(receiver.received)
    page.get_by_role("link", name="Recover").click()
    page.get_by_label("Also what was never queued").check()
    page.get_by_role("button", name="Send again").click()
    # Also the keys that were there before the endpoint was.
    names = [json.loads(arrived.body)["data"].get("name") for arrived in receiver.wait_for(count + 3)[count:]]
    assert sorted(names) == ["Missed", "live", "test"]

    # Deleted by its name.
    page.get_by_role("link", name="Settings", exact=True).last.click()
    page.get_by_role("link", name="Delete").click()
    button = page.get_by_role("button", name="Delete endpoint")
    expect(button).to_be_disabled()
    page.get_by_label("Type Production to confirm").fill("Production")
    button.click()
    expect(page.get_by_role("heading", name="No endpoints yet")).to_be_visible()
    until(lambda: Endpoint.objects.get().deleted_at is not None, what="the end of it")
    assert not Delivery.objects.filter(state="sending").exists()


def test_the_essentials_work_without_scripts(
    page: Page, acme: Tenant, sender: Sender, receiver: Receiver
) -> None:
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(
        base_url=acme.server.url, java_script_enabled=False, viewport={"width": 390, "height": 800}
    )
    plain = context.new_page()
    sign_in(plain, acme)
    plain.goto("/webhooks/new")
    plain.get_by_label("URL").fill(receiver.url)
    plain.get_by_role("button", name="Add endpoint").click()
    secret = plain.locator("#new-secret code").inner_text()
    plain.get_by_role("link", name="I have copied it").click()
    with plain.expect_navigation():
        plain.get_by_role("button", name="Send test event").click()
    assert verified(secret, receiver.wait_for(1)[0])

    def delivered() -> bool:
        plain.reload()
        return plain.locator("#delivery-now").get_by_text("Delivered").is_visible()

    until(delivered, seconds=15, what="the delivery")
    plain.get_by_role("button", name="Resend").click()
    assert len(receiver.wait_for(2)) == 2
    context.close()
