"""What rooms above do when a voice changes; they say so in `AppConfig.ready`."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

# Set by the room that speaks (apps.tts). Called with a voice's id, after the commit, when it wants a preview.
make_preview: Callable[[UUID], None] | None = None

# The same: called with an organization's id and the SHA-256 of a recording that no voice of it may use now.
forget_reference: Callable[[UUID, str], None] | None = None
