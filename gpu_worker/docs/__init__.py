"""The worker's own documentation: an OpenAPI document and a page over it that needs no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from fastapi import Request, Response
from starlette.routing import Route

from gpu_worker.docs.document import document

_PAGE: Final = Path(__file__).parent / "page"
_FILES: Final = {
    "/docs": ("index.html", "text/html; charset=utf-8"),
    "/docs/page.css": ("page.css", "text/css; charset=utf-8"),
    "/docs/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/docs/forms.js": ("forms.js", "text/javascript; charset=utf-8"),
    "/docs/elements.js": ("elements.js", "text/javascript; charset=utf-8"),
    "/docs/icon.svg": ("icon.svg", "image/svg+xml"),
}
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; connect-src 'self'; img-src 'self'; media-src blob:; script-src 'self'; "
        "style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def docs_routes() -> list[Route]:
    """`/openapi.json`, and `/docs` with its files."""
    answers = {path: ((_PAGE / name).read_bytes(), media_type) for path, (name, media_type) in _FILES.items()}
    answers["/openapi.json"] = (json.dumps(document()).encode(), "application/json")

    async def answer(request: Request) -> Response:
        body, media_type = answers[request.url.path]
        return Response(body, media_type=media_type, headers=_HEADERS)

    return [Route(path, answer, methods=["GET"]) for path in answers]
