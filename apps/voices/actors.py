"""Who adds, agrees to or withdraws a voice, as it is kept beside the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from apps.accounts.models import User


@dataclass(frozen=True, slots=True)
class Actor:
    """`person` is None for an API key; `address` is where the request came from, where that is known."""

    person: User | None
    name: str
    email: str = ""
    address: str | None = None

    @classmethod
    def of_person(cls, person: User, *, address: str | None = None) -> Self:
        return cls(person, person.get_full_name(), person.email, address)

    @classmethod
    def of_key(cls, prefix: str, *, address: str | None = None) -> Self:
        return cls(None, f"API key {prefix}…", address=address)
