"""The OpenAPI document tells the truth, and its page works with no network."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from playwright.sync_api import Page, sync_playwright

from gpu_worker.docs.document import document
from gpu_worker.docs.errors import EXAMPLES
from gpu_worker.protocol import ErrorCode, InvalidRequestError, SpeechRequest
from tests.gpu_worker.worker_process import WorkerProcess, running_worker

SPEC: dict[str, Any] = document()
REQUEST: dict[str, Any] = SPEC["components"]["schemas"]["SpeechRequest"]
DURATION = """player => player.readyState
    ? player.duration
    : new Promise(heard => player.addEventListener("loadedmetadata", () => heard(player.duration)))"""
OPERATIONS = [
    (path, method, operation) for path, item in SPEC["paths"].items() for method, operation in item.items()
]


def _is_accepted(body: object) -> bool:
    try:
        SpeechRequest.parse(body)
    except InvalidRequestError:
        return False
    return True


def _candidates(name: str, schema: dict[str, Any]) -> Iterator[object]:
    """Values on both sides of every bound that the schema names, and of other types."""
    yield from (True, 7, -1, 0.5, "", "word", "0" * 64, [], {}, "\n")
    yield from schema.get("enum", ())
    if "minimum" in schema:
        step = 1 if schema["type"] == "integer" else 0.001
        low, high = schema["minimum"], schema["maximum"]
        yield from (low, low - step, high, high + step)
    if "maxLength" in schema:
        yield from ("x" * schema["maxLength"], "x" * (schema["maxLength"] + 1))


@pytest.mark.parametrize("name", REQUEST["properties"])
def test_the_schema_and_the_worker_agree_on_each_field(name: str) -> None:
    validator = Draft202012Validator(REQUEST)
    told_apart = set()
    for value in _candidates(name, REQUEST["properties"][name]):
        body = {"text": "Hello.", name: value}
        accepted = _is_accepted(body)
        assert validator.is_valid(body) == accepted, (name, value)
        told_apart.add(accepted)
    assert told_apart == {True, False}


@pytest.mark.parametrize("name", ["pitch", "input", "Text", "text ", "$ref"])
def test_what_is_not_documented_is_refused(worker: WorkerProcess, name: str) -> None:
    response = httpx.post(f"{worker.url}/generate", json={"text": "Hello.", name: "x"})
    assert response.json()["error"]["param"] == name


def test_defaults_are_those_of_the_worker() -> None:
    request = SpeechRequest(text="Hello.")
    for name, schema in REQUEST["properties"].items():
        assert schema.get("default") == (None if name == "text" else getattr(request, name))


def test_every_error_has_an_example_that_fits_the_schema() -> None:
    assert set(EXAMPLES) == set(ErrorCode)
    error = Draft202012Validator(SPEC["components"]["schemas"]["Error"])
    for _, _, operation in OPERATIONS:
        for status, response in operation["responses"].items():
            for code, example in response["content"].get("application/json", {}).get("examples", {}).items():
                assert error.is_valid(example["value"])
                assert example["value"]["error"]["code"] == code
                assert ErrorCode(code).status == int(status)


def test_every_reference_leads_somewhere() -> None:
    def follow(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                at: Any = SPEC
                for key in node["$ref"].removeprefix("#/").split("/"):
                    at = at[key]
            for child in node.values():
                follow(child)
        elif isinstance(node, list):
            for child in node:
                follow(child)

    follow(SPEC)


def test_every_documented_operation_is_there_and_no_other_method(worker: WorkerProcess) -> None:
    for path, item in SPEC["paths"].items():
        url = worker.url + path.replace("{request_id}", "req_none").replace("{sha256}", "0" * 64)
        for method in ("get", "post", "put", "delete"):
            response = httpx.request(method, url)
            is_missing = response.status_code == 405 or (
                response.status_code == 404 and "at this path" in response.text
            )
            assert is_missing == (method not in item), (path, method, response.text)


@pytest.mark.parametrize("path", ["/ready", "/health"])
def test_examples_of_state_have_the_fields_of_the_real_answer(worker: WorkerProcess, path: str) -> None:
    example = SPEC["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    assert httpx.get(worker.url + path).json().keys() == example.keys()


def test_documented_headers_and_types_are_those_of_an_answer(worker: WorkerProcess) -> None:
    documented = SPEC["paths"]["/generate"]["post"]["responses"]["200"]
    for name in REQUEST["properties"]["format"]["enum"]:
        response = httpx.post(f"{worker.url}/generate", json={"text": "Hello.", "format": name})
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";rate=")[0] in documented["content"]
        assert {header.lower() for header in documented["headers"]} <= set(response.headers)


def test_the_document_is_served(worker: WorkerProcess) -> None:
    response = httpx.get(f"{worker.url}/openapi.json")
    assert response.json() == SPEC
    assert httpx.get(worker.url, follow_redirects=True).url == f"{worker.url}/docs"


@pytest.fixture
def page(worker: WorkerProcess, chromium: str) -> Iterator[Page]:
    """The worker's page, in a browser that reaches nothing else."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request", lambda request: problems.append(request.url) if _leaves(request.url, worker) else None
        )
        page.goto(f"{worker.url}/docs")
        page.wait_for_selector("#state[data-state=ready]")
        yield page
        browser.close()
    assert not problems


def _leaves(url: str, worker: WorkerProcess) -> bool:
    return not url.startswith((worker.url, "blob:"))


@pytest.mark.browser
def test_a_text_typed_into_the_page_is_heard(page: Page) -> None:
    page.get_by_role("textbox", name="Text").fill("A few words from a stranger.")
    page.get_by_role("button", name="Speak").click()
    assert page.locator("#player").evaluate(DURATION) > 0.5
    assert "s of speech" in page.locator("#facts").inner_text()
    assert '"text":"A few words from a stranger."' in page.locator("#curl").inner_text()


@pytest.mark.browser
def test_the_page_shows_every_operation_and_sends_it(page: Page) -> None:
    for path, _, operation in OPERATIONS:
        assert page.locator(f"#{operation['operationId']} .path").inner_text() == path
    page.locator("#health").get_by_role("button", name="Send").click()
    page.wait_for_selector("#health .answer pre")
    assert '"status": "ok"' in page.locator("#health .answer pre").inner_text()


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker that wants its token."""
    with running_worker(tmp_path, ENGINE="tone", API_KEY="a-token-of-the-tests") as process:
        yield process


def test_every_documented_status_of_speech_can_occur(
    worker: WorkerProcess, idle_slow_worker: WorkerProcess, closed: WorkerProcess
) -> None:
    """But for faults (500), and for 408 and 503 while it starts or ends, which other files provoke."""
    documented = set(SPEC["paths"]["/generate"]["post"]["responses"])
    seen = {
        str(httpx.post(f"{worker.url}/generate", **sent).status_code)
        for sent in (
            {"json": {"text": "Hello."}},
            {"json": {"text": ""}},
            {"json": {"text": "Hello.", "voice": "nobody"}},
            {"content": b" " * 300_000, "headers": {"Content-Type": "application/json"}},
            {"content": b"Hello.", "headers": {"Content-Type": "text/plain"}},
            {"json": {"text": "..."}},
            {"json": {"text": "Hello, and a few more words.", "deadline_ms": 1}},
        )
    }
    seen |= {str(httpx.post(f"{closed.url}/generate", json={"text": "Hello."}).status_code)}
    with ThreadPoolExecutor() as pool:
        body = {"text": "These words take a while. " * 4, "request_id": "req_many"}
        url = f"{idle_slow_worker.url}/generate"
        asked = [pool.submit(httpx.post, url, json=body, timeout=30) for _ in range(4)]
        wait(asked, return_when=FIRST_COMPLETED)
        while not all(one.done() for one in asked):
            httpx.post(f"{idle_slow_worker.url}/cancel/req_many")
        seen |= {str(one.result().status_code) for one in asked}
    assert documented - seen == {"403", "408", "409", "500"} - seen
    assert seen <= documented
