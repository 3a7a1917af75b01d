"""The keys that providers' fronts ask for."""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings

from apps.core.errors import InvalidRequest
from apps.deployments.models import Deployment, ProviderKey

# Those whose front asks for one.
ASKING: Final = (Deployment.Provider.VERDA,)
MAX_CHARACTERS: Final = 512
# What a header can carry.
_KEY = re.compile(r"[!-~]+")


def inference_key(provider: str) -> str:
    """The key that staff set, else the one of the environment; empty where there is none."""
    kept = ProviderKey.objects.filter(provider=provider).first()
    if kept is not None:
        key: str = kept.inference_key
        return key
    from_environment: str = settings.VERDA_INFERENCE_KEY if provider == "verda" else ""
    return from_environment


def check_key(key: str) -> str:
    """Raises `InvalidRequest`, which never repeats the key."""
    if not _KEY.fullmatch(key) or len(key) > MAX_CHARACTERS:
        raise InvalidRequest(
            f"A key has 1 to {MAX_CHARACTERS} printable characters and no space.", param="inference_key"
        )
    return key


def set_inference_key(provider: str, *, key: str) -> ProviderKey:
    """Instead of the one before it and of the environment's, as soon as the routers look again."""
    row, _ = ProviderKey.objects.update_or_create(
        provider=provider, defaults={"inference_key": check_key(key)}
    )
    return row
