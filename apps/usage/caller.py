"""Who calls the speech API, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.core.errors import PermissionDenied
from apps.keys.identity import Identity, require_address
from apps.keys.restrictions import UNRESTRICTED
from apps.usage.limits import Limits, OrganizationPolicy


@dataclass(slots=True)
class Caller:
    """An identity with its organization's policy, and how to read both again when they turn out stale.

    What was required of them is required again then: a restriction holds from the moment it was made.
    """

    identity: Identity
    policy: OrganizationPolicy
    reload: Callable[[], Identity]
    _voice_names: tuple[str, ...] = ()
    _address: str | None = None
    _came_from_somewhere: bool = False

    @property
    def limits(self) -> Limits:
        """The stricter of the organization's and the key's own."""
        limits, own = self.policy.of(self.identity.mode), self.identity.restrictions
        return limits if own is UNRESTRICTED else limits.stricter(own)

    def require_address(self, address: str | None) -> None:
        """Refuses a call from where the key may not be used; `None`, not known, is nowhere that is listed.

        People who signed in and work that goes on after its call are not asked.
        """
        self._came_from_somewhere, self._address = True, address
        require_address(self.policy.networks, address)
        self.identity.require_address(address)

    def require_voice(self, name: str, *aliases: str) -> None:
        """Refuses a voice that is on neither list under any of its names, where there are lists."""
        self._voice_names = (name, *aliases)
        for allowed in (self.policy.allowed_voices, self.identity.restrictions.allowed_voices):
            if allowed and not any(voice in allowed for voice in self._voice_names):
                raise PermissionDenied(
                    f"The voice {name} is not allowed here.", code="voice_not_allowed", param="voice"
                )

    def renew(self, identity: Identity, policy: OrganizationPolicy) -> None:
        self.identity, self.policy = identity, policy
        if self._came_from_somewhere:
            self.require_address(self._address)
        if self._voice_names:
            self.require_voice(*self._voice_names)
