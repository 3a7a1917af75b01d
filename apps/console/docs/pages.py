"""The pages of the docs, in the order in which they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.urls import reverse


@dataclass(frozen=True)
class DocsPage:
    slug: str
    title: str
    lead: str

    @property
    def template(self) -> str:
        return f"docs/{self.slug or 'quickstart'}.html"

    @property
    def url_name(self) -> str:
        return f"docs_{self.slug}" if self.slug else "docs"

    @property
    def url(self) -> str:
        return reverse(self.url_name)


PAGES: Final = (
    DocsPage("", "Quickstart", "From a key to speech, with the client that you have."),
    DocsPage("openai", "OpenAI clients", "Change the base URL and the key; the rest of your code stays."),
    DocsPage(
        "elevenlabs", "ElevenLabs clients", "Change the base URL and the key; the rest of your code stays."
    ),
    DocsPage("voices", "Voices", "The platform's voices, and your own from a recording."),
    DocsPage("jobs", "Long texts", "Up to 500,000 characters become one file, made in the background."),
    DocsPage("deployments", "Deployments", "Engines of your own: made, scaled, woken and paid for."),
    DocsPage("webhooks", "Webhooks", "What happens is told to your own servers, signed, until they have it."),
    DocsPage(
        "limits", "Limits and charges", "What a key may ask, what a request costs, and how you see both."
    ),
    DocsPage("errors", "Errors", "What can go wrong, how it is said, and what to do then."),
)


def page_of(slug: str) -> DocsPage:
    return next(page for page in PAGES if page.slug == slug)
