"""The pages of the console, in the order of the rail. A page is listed here once it exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from django.urls import reverse


@dataclass(frozen=True)
class Page:
    title: str
    url_name: str
    icon: str
    words: str = ""

    @property
    def url(self) -> str:
        return reverse(self.url_name)


@dataclass(frozen=True)
class Link:
    """A page as seen from the page that is open."""

    title: str
    url: str
    icon: str
    words: str
    is_current: bool

    @classmethod
    def of(cls, page: Page, path: str) -> Self:
        url = page.url
        is_current = path == url or (url != "/" and path.startswith(f"{url}/"))
        return cls(page.title, url, page.icon, page.words, is_current)


@dataclass(frozen=True)
class Group:
    title: str
    links: list[Link]


PAGES: dict[str, tuple[Page, ...]] = {
    "Build": (
        Page("Overview", "overview", "overview", "home dashboard latency"),
        Page("Playground", "playground", "wave", "speech voice try generate"),
        Page("Voices", "voices", "voice", "clone consent preview hear"),
        Page("Jobs", "jobs", "jobs", "long text book audiobook file progress"),
        Page("History", "history", "history", "past requests text audio search replay"),
        Page("Docs", "docs", "code", "quickstart errors limits openai elevenlabs reference"),
    ),
    "Run": (
        Page("Deployments", "deployments", "deployments", "deploy workers replicas scale sleep wake"),
        Page("GPUs", "gpus", "gpu", "hardware price memory"),
    ),
    "Account": (
        Page("Keys", "keys", "key", "api secret token"),
        Page("Webhooks", "webhooks", "webhook", "events endpoints deliveries signatures"),
        Page("Usage", "usage", "usage", "requests characters chart"),
        Page("Settings", "settings", "settings", "profile organization members theme"),
    ),
}


def groups(path: str) -> list[Group]:
    """The rail's groups with the page that serves `path` marked as current."""
    return [Group(title, [Link.of(page, path) for page in pages]) for title, pages in PAGES.items()]
