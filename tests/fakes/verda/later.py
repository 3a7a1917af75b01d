"""Requests that the edge accepts and carries out later: `Prefer: respond-async`, then status and result."""

from __future__ import annotations

import http.client
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.fakes.verda.wire import Answer

if TYPE_CHECKING:
    from tests.fakes.verda.fake import FakeVerda
    from tests.fakes.verda.server import ControlPlane

ID_HEADER = "X-Inference-Id"


@dataclass
class Later:
    """Each is sent to this edge once more, plainly, by a thread that waits in the client's place."""

    fake: FakeVerda
    results: dict[str, Answer | None] = field(default_factory=dict)

    def answer(self, handler: ControlPlane, deployment: str, body: bytes) -> Answer | None:
        """None if the request is none of these."""
        if handler.headers.get("Authorization") != f"Bearer {self.fake.inference_key}":
            return None
        if deployment in ("status", "result") and ID_HEADER in handler.headers:
            return self._about(handler.headers[ID_HEADER], deployment)
        if handler.headers.get("Prefer") in ("respond-async", "respond-async-proxy"):
            return self._accept(handler, deployment, body)
        return None

    def _accept(self, handler: ControlPlane, deployment: str, body: bytes) -> Answer:
        id = secrets.token_hex(8)
        self.results[id] = None
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "prefer"}
        call = (id, handler.command, handler.path, headers, body)
        threading.Thread(target=self._carry_out, args=call, daemon=True).start()
        paths = {"StatusPath": f"/status/{deployment}", "ResultPath": f"/result/{deployment}"}
        return Answer(202, {"Id": id, **paths})

    def _about(self, id: str, what: str) -> Answer:
        if id not in self.results:
            return Answer(404, {"message": "Unknown inference"})
        result = self.results[id]
        if what == "status":
            return Answer(200, {"Id": id, "Status": "Inference" if result is None else "Completed"})
        return Answer(404, {"message": "There is no result yet"}) if result is None else result

    def _carry_out(self, id: str, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.fake.url).port, timeout=600)
        try:
            connection.request(method, path, body, headers)
            heard = connection.getresponse()
            kind = heard.getheader("Content-Type", "application/octet-stream")
            text = heard.read().decode("utf-8", "surrogateescape")
            self.results[id] = Answer(heard.status, text, {"Content-Type": kind}, as_json=False)
        except (OSError, http.client.HTTPException):
            self.results[id] = Answer(502, {"message": "Bad gateway"})
        finally:
            connection.close()
