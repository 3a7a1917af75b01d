"""From a method and a path to the endpoint, with what every endpoint demands: a route, a method, a token."""

from __future__ import annotations

import re

from tests.fakes.verda.tokens import Tokens
from tests.fakes.verda.wire import Answer, Endpoint, Refused, Request, Routes

TOKEN_PATH = "/oauth2/token"


class Router:
    def __init__(self, routes: Routes, tokens: Tokens) -> None:
        self._tokens = tokens
        self._routes = [(method, _pattern(path), endpoint) for (method, path), endpoint in routes.items()]

    def answer(self, request: Request) -> Answer:
        try:
            if request.path == TOKEN_PATH and request.method == "POST":
                return self._tokens.issue(request)
            self._tokens.require(request.authorization)
            return self._endpoint(request)(request)
        except Refused as refused:
            return refused.answer

    def _endpoint(self, request: Request) -> Endpoint:
        """The first route that fits; those without a placeholder are written before those with one."""
        methods = set()
        for method, pattern, endpoint in self._routes:
            if match := pattern.fullmatch(request.path):
                if method == request.method:
                    request.parameters = match.groupdict()
                    return endpoint
                methods.add(method)
        if methods or request.path == TOKEN_PATH:
            raise Refused(405, f"{request.method} is not allowed here")
        raise Refused(404, f"Cannot {request.method} {request.path}")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))
