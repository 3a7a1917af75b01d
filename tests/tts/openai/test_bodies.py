"""Bodies, headers and paths that no client sends: never a 5xx, always a refusal in OpenAI's shape."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from apps.deployments.models import Worker
from tests.platform import Tenant

SPEECH = "/v1/audio/speech"
GOOD = {"model": "tts-1", "voice": "alloy", "input": "Hi."}
DEEP: Any = "x"
for _ in range(80):
    DEEP = [DEEP]

# A body's fields beside good ones, and the field that the refusal names.
BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    *(({"input": value}, "input") for value in ("", " \n", None, 7, True, ["Hi."], {"text": "Hi."}, "\x00")),
    ({"input": "x" * 4097}, "input"),
    *(({"model": value}, "model") for value in ("", None, 5, False, ["tts-1"], {}, "m" * 129, "\x00")),
    *(({"voice": value}, "voice") for value in ("", None, 5, ["alloy"], {}, {"id": None}, {"id": 7})),
    *(({"voice": value}, "voice") for value in ({"id": ""}, {"id": {"id": "alloy"}}, {"name": "alloy"})),
    *(({"speed": value}, "speed") for value in ("1", True, 0.2, 4.1, -1, 10**400, [1.0], {})),
    *(({"response_format": value}, "response_format") for value in ("ogg", "MP3", 3, True, [], {}, "")),
    *(({"stream_format": value}, "stream_format") for value in ("json", 1, False, [], "")),
    *(({"instructions": value}, "instructions") for value in (1, True, [], {})),
    *(({"seed": value}, "seed") for value in (-1, 1.5, "1", 2**32, True)),
    *(({"temperature": value}, "temperature") for value in (9, "hot", [])),
    ({"sample_rate": 23_999}, "sample_rate"),
    ({"response_format": "mp3", "bitrate": 33_000}, "bitrate"),
    ({"language": 5}, "language"),
    ({"unknown_tags": "shout"}, "unknown_tags"),
    ({"normalize": True}, "normalize"),
]

BYTES = [
    (b'{"input": "Hi."', 400, "invalid_json"),
    (b"\xff\xfe{}", 400, "invalid_json"),
    (b"[" * 50_000, 400, "invalid_json"),
    (b'{"input": "\xff"}', 400, "invalid_json"),
    (b'{"input": "Hi.", "speed": NaN}', 400, "invalid_json"),
    (b'{"input": "Hi.", "speed": Infinity}', 400, "invalid_json"),
    (b'{"input": "Hi.", "model": "tts-1", "voice": "alloy", "speed": 1e999}', 400, None),
    (
        b'{"input": "Hi.", "model": "tts-1", "voice": "alloy", "seed": ' + b"9" * 5000 + b"}",
        400,
        "invalid_json",
    ),
    (b'{"model": "tts-1", "voice": "alloy", "input": "lone \\ud800 half"}', 400, None),
    (b'{"model": "tts-1", "voice": "lone \\ud800 half", "input": "Hi."}', 400, None),
    (b'{"model": "lone \\ud800 half", "voice": "alloy", "input": "Hi."}', 400, None),
    (b"", 400, None),
    (b"null", 400, None),
    (b'"Hi."', 400, None),
    (b'["Hi."]', 400, None),
    (b'{"input": "' + b"x" * 1_100_000 + b'"}', 413, "payload_too_large"),
]


def error_of(response: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    assert set(response.json()) == {"error"}
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"].endswith((".", "!", "?"))
    assert error["type"] == "invalid_request_error" or response.status_code in {401, 403, 429, 503}
    assert response.headers["x-request-id"]
    return error


def post(acme: Tenant, **arguments: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {acme.live}", **arguments.pop("headers", {})}
    return acme.client.post(SPEECH, headers=headers, **arguments)


def test_fields_that_cannot_be_meant_are_refused_by_name(acme: Tenant, cpu: Worker) -> None:
    for fields, param in BAD_FIELDS:
        body = {name: value for name, value in (GOOD | fields).items() if value != "\x00"}
        response = post(acme, json=GOOD | fields)
        assert response.status_code == 400, body
        assert error_of(response)["param"] == param, body
    for name in GOOD:
        response = post(acme, json={field: GOOD[field] for field in GOOD.keys() - {name}})
        assert (response.status_code, error_of(response)["param"]) == (400, name)
    assert acme.records() == []


def test_text_that_is_too_long_says_how_long_it_may_be(acme: Tenant, cpu: Worker) -> None:
    response = post(acme, json=GOOD | {"input": "x" * 4097})
    assert error_of(response)["code"] == "string_above_max_length"
    assert "4097" in error_of(response)["message"]
    assert "4096" in error_of(response)["message"]


def test_null_is_what_is_left_out_and_what_nobody_knows_is_passed_over(acme: Tenant, cpu: Worker) -> None:
    names = ("instructions", "response_format", "speed", "stream_format", "seed", "language", "unknown_tags")
    passed_over = {"text": 7, "stream": "yes", "format": [], "n": DEEP, "\x00": "\x00"}
    response = post(acme, json=GOOD | dict.fromkeys(names) | passed_over)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "audio/mpeg")


def test_bytes_that_are_no_request(acme: Tenant, cpu: Worker) -> None:
    for content, status, code in BYTES:
        response = post(acme, content=content, headers={"Content-Type": "application/json"})
        assert response.status_code == status, content[:60]
        assert error_of(response)["code"] == code, content[:60]
    assert acme.records() == []


@pytest.mark.parametrize("chunked", [False, True], ids=["sized", "chunked"])
def test_a_body_that_is_too_large(acme: Tenant, chunked: bool) -> None:
    content = b"x" * 2_000_000
    parts = (content[start : start + 64_000] for start in range(0, len(content), 64_000))
    response = post(acme, content=parts if chunked else content, headers={"Content-Type": "application/json"})
    assert (response.status_code, error_of(response)["code"]) == (413, "payload_too_large")


def test_content_types(acme: Tenant, cpu: Worker) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", ";;"):
        response = post(acme, content=b"input=Hi.", headers={"Content-Type": kind})
        assert (response.status_code, error_of(response)["code"]) == (415, "unsupported_media_type"), kind
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        body = b'{"model": "tts-1", "voice": "alloy", "input": "Hi."}'
        assert post(acme, content=body, headers={"Content-Type": kind}).status_code == 200


def test_whatever_is_accepted_the_answer_is_audio(acme: Tenant, cpu: Worker) -> None:
    for accept in ("application/octet-stream", "text/html", "application/json", "", "nonsense"):
        response = post(acme, json=GOOD, headers={"Accept": accept})
        assert (response.status_code, response.headers["Content-Type"]) == (200, "audio/mpeg")


def test_other_methods(acme: Tenant) -> None:
    headers = {"Authorization": f"Bearer {acme.live}"}
    for path, methods in {
        SPEECH: ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"),
        "/v1/models": ("POST", "PUT", "PATCH", "DELETE"),
        "/v1/models/tts-1": ("POST", "DELETE"),
    }.items():
        for method in methods:
            response = acme.client.request(method, path, headers=headers)
            assert response.status_code == 405, f"{method} {path}"
            assert response.headers["Allow"] == ("POST" if path == SPEECH else "GET, HEAD")
            if method != "HEAD":
                assert error_of(response)["code"] == "method_not_supported"


def test_paths_that_are_none(acme: Tenant) -> None:
    for path in ("/v1", "/v1/", "/v1/audio", "/v1/audio/speech/", "/v1/models/", "/v1/chat/completions"):
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            response = acme.client.request(method, path)
            assert response.status_code == 404, f"{method} {path}"
            assert error_of(response)["code"] == "unknown_url"
    for path in ("/v1/%0A", "/v1/a%00b", "/v1/%ff", "/v1/models/a%2Fb", "/v1//models", "/v1/" + "x" * 3000):
        assert error_of(acme.client.get(path))["code"] == "unknown_url", path
    assert acme.client.post("/v1/nothing", headers={"Idempotency-Key": "k"}).status_code == 404
    assert acme.client.head("/v1/nothing").status_code == 404
    assert acme.client.get("/v10").status_code == 404


def test_keys_that_are_none(acme: Tenant, cpu: Worker) -> None:
    def refused(**headers: str) -> str:
        encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        response = acme.client.post(SPEECH, json=GOOD, headers=encoded)
        error = error_of(response)
        assert response.status_code == 401, headers
        assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        return str(error["message"])

    for missing in ("", "Basic dXNlcjpwYXNz", "Bearer", acme.live):
        assert "Authorization: Bearer" in refused(Authorization=missing), missing
    for wrong in ("Bearer nonsense", f"Bearer {acme.live}x", "Bearer vf_live_" + "0" * 36, "Bearer \xe9\xff"):
        assert "not valid" in refused(Authorization=wrong), wrong
    assert acme.records() == []


def test_the_key_in_either_header(acme: Tenant, cpu: Worker) -> None:
    for headers in (
        {"Authorization": f"Bearer {acme.live}"},
        {"Authorization": f"bearer   {acme.live}"},
        {"X-API-Key": acme.live},
        # An edge in between may want Authorization for itself.
        {"X-API-Key": acme.live, "Authorization": "Bearer of-an-edge"},
    ):
        assert acme.client.post(SPEECH, json=GOOD, headers=headers).status_code == 200, headers
