"""The form of a key, and how one is proved. Pure functions: no database, no network.

A key is `vf_live_` or `vf_test_`, 30 base62 characters, and 6 base62 characters of the CRC-32 of all before
them: the form that secret scanners want, and that lets a mistyped key be refused before any I/O. The first 8
of the 30 find the row; a keyed hash (HMAC-SHA256 under a pepper that the database does not hold) of the whole
key proves it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MODES = ("live", "test")
RANDOM_LENGTH = 30
CHECKSUM_LENGTH = 6
LOOKUP_LENGTH = 8
_FORM = re.compile(rf"vf_(live|test)_([0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})")


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A well-formed key: its mode, and the prefix (`vf_live_` + 8 characters) that finds its row."""

    secret: str
    mode: str
    prefix: str


def generate(mode: str) -> str:
    """A new key with about 178 random bits."""
    body = f"vf_{mode}_" + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return body + checksum(body)


def checksum(body: str) -> str:
    """The CRC-32 of the body in base62, padded to 6 characters."""
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def parse(raw: str) -> ParsedKey | None:
    """`None` for whatever cannot be a key of ours: wrong form or wrong checksum."""
    match = _FORM.fullmatch(raw)
    if match is None or checksum(raw[:-CHECKSUM_LENGTH]) != match[3]:
        return None
    return ParsedKey(secret=raw, mode=match[1], prefix=f"vf_{match[1]}_{match[2][:LOOKUP_LENGTH]}")


def digest(secret: str, pepper: bytes) -> bytes:
    """32 bytes: what is stored in the key's place."""
    return hmac.digest(pepper, secret.encode(), hashlib.sha256)


def proves(secret: str, *, stored: bytes, pepper_id: int, peppers: Mapping[int, bytes]) -> bool:
    pepper = peppers.get(pepper_id)
    # A pepper that was taken away proves nothing, in the same time.
    expected = digest(secret, pepper if pepper is not None else b"\0" * 32)
    return hmac.compare_digest(expected, stored) and pepper is not None
