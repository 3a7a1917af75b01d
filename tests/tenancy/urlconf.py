"""Every URL pattern of the platform, found by walking the URLconf."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver

_CONVERTER = re.compile(r"<(?:\w+:)?\w+>")


@dataclass(frozen=True)
class Route:
    """`text` is what the URLconf says, with its parameters."""

    text: str

    @property
    def has_parameters(self) -> bool:
        return bool(_CONVERTER.search(self.text)) or "(?P<" in self.text

    @property
    def is_admin(self) -> bool:
        return self.text.startswith("admin/")


def routes() -> list[Route]:
    """Of the whole URLconf; a URL that is added tomorrow is among them."""
    found = {Route(text) for text in _walk(get_resolver().url_patterns, "")}
    return sorted(found, key=lambda route: route.text)


def _walk(patterns: Iterable[Any], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield text
        else:
            yield from _walk(pattern.url_patterns, text)
