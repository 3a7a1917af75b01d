"""`POST /normalize` of the worker."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator

from gpu_worker.docs.document import document
from tests.gpu_worker.worker_process import WorkerProcess, running_worker


def normalize(worker: WorkerProcess, **body: object) -> httpx.Response:
    return httpx.post(f"{worker.url}/normalize", json=body)


def test_it_answers_what_is_spoken_and_where_it_was_written(worker: WorkerProcess) -> None:
    text = "Well [laugh] it costs $5.30."
    response = normalize(worker, text=text)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer["spoken"] == "Well it costs five dollars and thirty cents."
    said = {answer["spoken"][a:b]: text[c:d] for a, b, c, d in answer["map"]}
    assert said["five dollars and thirty cents"] == "$5.30"
    assert [a for a, _, _, _ in answer["map"]] == [0, *(b for _, b, _, _ in answer["map"][:-1])]


def test_it_counts_code_points(worker: WorkerProcess) -> None:
    answer = normalize(worker, text="𝄞 é", normalize="off").json()
    assert answer == {"spoken": "𝄞 é", "map": [[0, 3, 0, 3]]}


def test_its_answer_is_as_documented(worker: WorkerProcess) -> None:
    content = document()["paths"]["/normalize"]["post"]["responses"]["200"]["content"]["application/json"]
    validator = Draft202012Validator(content["schema"])
    assert validator.is_valid(content["example"])
    assert validator.is_valid(normalize(worker, text="It costs $5.").json())
    assert normalize(worker, text="It costs $5.").json() == content["example"]


@pytest.mark.parametrize(
    ("body", "spoken"),
    [
        ({"text": "$5", "normalize": "off"}, "$5"),
        ({"text": "$5", "normalize": "on"}, "five dollars"),
        ({"text": "$5", "language": "en-GB"}, "five dollars"),
        ({"text": "5 € bitte", "language": "de"}, "5 € bitte"),
        ({"text": "A [sneeze].", "unknown_tags": "drop"}, "A."),
        ({"text": "[laugh]"}, ""),
    ],
)
def test_options(worker: WorkerProcess, body: dict[str, object], spoken: str) -> None:
    assert normalize(worker, **body).json()["spoken"] == spoken


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "text"),
        ({"text": " "}, "text"),
        ({"text": 5}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "A [sneeze].", "unknown_tags": "error"}, "text"),
        ({"text": "a", "normalize": "yes"}, "normalize"),
        ({"text": "a", "normalize": "on", "language": "de"}, "normalize"),
        ({"text": "a", "language": ""}, "language"),
        ({"text": "a", "voice": "heart"}, "voice"),
        ({"text": "a", "pitch": 1}, "pitch"),
    ],
)
def test_refusals(worker: WorkerProcess, body: dict[str, object], param: str) -> None:
    response = normalize(worker, **body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, "invalid", param)
    assert error["message"].endswith(".")
    assert error["request_id"] == response.headers["x-request-id"]


def test_bodies_that_are_not_taken(worker: WorkerProcess) -> None:
    url = f"{worker.url}/normalize"
    assert httpx.post(url, content=b"text").status_code == 415
    assert httpx.post(url, content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert httpx.post(url, json={"text": "a", "voice": "x" * 256_000}).status_code == 413
    assert httpx.get(url).status_code == 405


def test_long_texts_are_answered_too(worker: WorkerProcess) -> None:
    text = ("It costs $5. " * 800)[:10_000]
    answer = normalize(worker, text=text).json()
    assert answer["spoken"].count("five dollars") == text.count("$5")


def test_it_takes_the_workers_token(tmp_path: Path) -> None:
    with running_worker(tmp_path, ENGINE="tone", API_KEY="a-token-of-the-tests") as guarded:
        assert normalize(guarded, text="a").status_code == 401
        headers = {"X-Worker-Token": "a-token-of-the-tests"}
        assert httpx.post(f"{guarded.url}/normalize", json={"text": "a"}, headers=headers).status_code == 200
