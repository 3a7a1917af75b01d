"""What is ours at Verda, by its name: `vf-<32 hex digits of the deployment>`, then for a machine its place.

Names are the only thing by which a call that may have been done is found again, and by which what nobody
remembers any more is known to be ours.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

_PREFIX = re.compile(r"[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Names:
    """`prefix` tells one platform's things from another's in the same account: up to 8 letters or digits."""

    prefix: str = "vf"

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError("a prefix has 1 to 8 lower-case letters and digits")

    def of(self, deployment_id: UUID) -> str:
        return f"{self.prefix}-{deployment_id.hex}"

    def machine(self, deployment_id: UUID, generation: int) -> str:
        """A new one with every call."""
        return f"{self.of(deployment_id)}-g{generation}-{secrets.token_hex(3)}"

    def secret(self, deployment_id: UUID, variable: str) -> str:
        return f"{self.of(deployment_id)}-{variable.lower().replace('_', '-')}"

    def deployment_of(self, name: str) -> UUID | None:
        """The deployment that something of this name belongs to, `None` where it is not ours."""
        found = re.match(rf"{self.prefix}-([0-9a-f]{{32}})(?:-|\Z)", name)
        return UUID(found[1]) if found else None

    def deployments_of(self, names: Iterable[str]) -> set[UUID]:
        found = map(self.deployment_of, names)
        return {deployment_id for deployment_id in found if deployment_id is not None}

    def generation_of(self, hostname: str) -> int:
        """Of a machine; 0 where its name does not tell."""
        found = re.search(r"-g([0-9]{1,9})-[0-9a-f]{6}\Z", hostname)
        return int(found[1]) if found else 0
