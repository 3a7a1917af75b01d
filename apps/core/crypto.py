"""Secrets of others at rest: encrypted with Fernet, keys rotated by putting a new one first."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=1)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt_bytes(plain: bytes) -> bytes:
    """A third longer than what goes in; all of it is in memory at once."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(plain)


def decrypt_bytes(token: bytes) -> bytes:
    """Raises `cryptography.fernet.InvalidToken` where no configured key made it."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(token)


def encrypt(plain: str) -> str:
    return encrypt_bytes(plain.encode()).decode()


def decrypt(token: str) -> str:
    """As `decrypt_bytes`."""
    return decrypt_bytes(token.encode()).decode()


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that the database only ever sees encrypted; empty stays empty. It cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value) if value else value

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return decrypt(value) if value else value
