"""Static files over the real server: whole, by range, unchanged, and not there."""

from __future__ import annotations

import httpx
import pytest

from tests.platform import Server

pytestmark = pytest.mark.django_db
FILE = "/static/css/tokens.css"


def test_a_file_is_sent_with_its_type_and_length(server: Server) -> None:
    response = httpx.get(server.url + FILE)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/css")
    assert "--" in response.text
    assert "must consume synchronous iterators" not in server.log()


def test_an_unchanged_file_is_not_sent_again(server: Server) -> None:
    first = httpx.get(server.url + FILE)
    again = httpx.get(server.url + FILE, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_range_and_a_head(server: Server) -> None:
    part = httpx.get(server.url + FILE, headers={"Range": "bytes=0-9", "Accept-Encoding": "identity"})
    assert (part.status_code, len(part.content)) == (206, 10)
    head = httpx.head(server.url + FILE, headers={"Accept-Encoding": "identity"})
    assert head.status_code == 200
    assert int(head.headers["Content-Length"]) > 10


@pytest.mark.parametrize("path", ["/static/nothing.css", "/static/../manage.py", "/static/css/"])
def test_what_is_no_file_is_404(server: Server, path: str) -> None:
    assert httpx.get(server.url + path).status_code == 404
