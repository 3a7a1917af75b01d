"""What people agree to, word for word. A text is never changed: a new one gets a new version.

Rows keep the version and the SHA-256 of what was agreed to, so that both can be shown to be one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from apps.core.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Statement:
    version: str
    text: str

    @property
    def sha256(self) -> str:
        """Of the text in UTF-8, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


# Of the person who adds a voice, for that voice. The last one is the current one.
CONSENT: Final = (
    Statement(
        "consent-1",
        "The voice in this recording is my own, or the person whose voice it is has given me their explicit "
        "permission to clone it and to make speech with it. I know that this statement is kept with my name, "
        "the time, my address and a fingerprint of the recording. It can be withdrawn at any time: within a "
        "minute nothing more is spoken with this voice, and its recording is deleted. I will not use the "
        "voice to deceive anybody, or to pass for a person who has not agreed to it.",
    ),
)

# Of an owner or admin, once for the organization: clients that cannot show a statement then add voices.
TERMS: Final = (
    Statement(
        "terms-1",
        "Each voice that is added with a key of this organization is the voice of the person who adds it, or "
        "of a person who has given their explicit permission to clone it and to make speech with it. The "
        "organization answers for this, keeps evidence of these permissions, and withdraws a voice as soon "
        "as its person asks for it. Each voice added so is kept with this statement, the key that added it, "
        "the time, the address and a fingerprint of the recording. No voice is used to deceive anybody, or "
        "to pass for a person who has not agreed to it.",
    ),
)


def current_consent() -> Statement:
    return CONSENT[-1]


def current_terms() -> Statement:
    return TERMS[-1]


def text_of(version: str) -> str:
    """The words of any version that ever was; empty for one that never was."""
    return next((statement.text for statement in (*CONSENT, *TERMS) if statement.version == version), "")


def require_agreed(statement: Statement, *, consent: bool, version: str) -> None:
    """Raises `InvalidRequest` unless somebody agreed to this very text."""
    if not consent:
        raise InvalidRequest(
            "A voice is cloned only with consent: agree to the statement, and send consent=true.",
            code="consent_required",
            param="consent",
        )
    if version != statement.version:
        raise InvalidRequest(
            f"The statement to agree to is {statement.version}, not {version or 'none'}. Read it again.",
            code="consent_version_outdated",
            param="consent_version",
        )
