"""Files of the platform that are no part of its code: in an S3 bucket where one is named, else var/media.

A key is a relative path such as `voices/0198…/c0ffee.wav`. Nothing is public: a file leaves by `signed_link`,
or by a view that has looked who asks and then answers with `serving.answer`. Every call here may block for
some seconds and raises `Unavailable` where the bucket cannot be reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol, cast
from urllib.parse import urlsplit

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.utils.http import content_disposition_header

from apps.core.errors import Unavailable
from apps.core.media import links

__all__ = [
    "Reading",
    "bucket_origin",
    "delete",
    "exists",
    "listed",
    "open_range",
    "read",
    "save",
    "signed_link",
    "size",
]

logger = structlog.get_logger(__name__)

_KEY = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*/)*[A-Za-z0-9][A-Za-z0-9._-]*")
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class Reading(Protocol):
    """What is left of a file from some byte on; `read` gives fewer bytes than asked only at its end."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


def save(key: str, content: bytes | IO[bytes]) -> None:
    """Stores it whole under the key, in place of what was there; a reader sees the old or the new.

    A file is read from its beginning, in parts, and left open.
    """
    if isinstance(content, bytes):
        file: File[bytes] = ContentFile(content)
    else:
        content.seek(0)
        file = File(content)
    with _reached():
        _storage().save(_checked(key), file)


def read(key: str) -> bytes:
    """The whole file. Raises FileNotFoundError."""
    reading = open_range(key)
    with closing(reading), _reached():
        return b"".join(iter(lambda: reading.read(1 << 20), b""))


def open_range(key: str, start: int = 0) -> Reading:
    """To be read from that byte on, in parts, and closed. Raises FileNotFoundError."""
    with _reached():
        if not settings.S3_BUCKET:
            file = cast("IO[bytes]", _storage().open(_checked(key)))
            file.seek(start)
            return file
        # Not by the storage's own `open`, which fetches the whole file first.
        wanted = {"Range": f"bytes={start}-"} if start else {}
        found = _storage().bucket.Object(_checked(key)).get(**wanted)  # type: ignore[attr-defined]
        return cast("Reading", found["Body"])


def size(key: str) -> int:
    """In bytes. Raises FileNotFoundError."""
    with _reached():
        if settings.S3_BUCKET:
            found = _storage().bucket.Object(_checked(key)).content_length  # type: ignore[attr-defined]
        else:
            found = Path(_storage().path(_checked(key))).stat().st_size
        return int(found)


def exists(key: str) -> bool:
    try:
        size(key)
    except FileNotFoundError:
        return False
    return True


def delete(key: str) -> None:
    """What is not there is no error."""
    with _reached():
        _storage().delete(_checked(key))


def listed(folder: str) -> Iterator[tuple[str, datetime]]:
    """The key of every file below a folder, and when it was written; in no order."""
    storage = _storage()
    with _reached():
        if not settings.S3_BUCKET:
            yield from storage.listed(_checked(folder))  # type: ignore[attr-defined]
            return
        for found in storage.bucket.objects.filter(Prefix=f"{_checked(folder)}/"):  # type: ignore[attr-defined]
            yield found.key, found.last_modified


def signed_link(
    key: str, *, expires_seconds: int, filename: str, content_type: str, attachment: bool = True
) -> str:
    """A whole URL that lets whoever has it fetch this file for so long, with ranges; nothing is looked up.

    Of the bucket itself where there is one. `filename` is what a browser saves it as.
    """
    if not settings.S3_BUCKET:
        return links.made(
            _checked(key),
            expires_seconds=expires_seconds,
            filename=filename,
            content_type=content_type,
            attachment=attachment,
        )
    told = {
        "ResponseContentType": content_type,
        "ResponseContentDisposition": content_disposition_header(attachment, filename) or "inline",
    }
    with _reached():
        url = _storage().url(_checked(key), parameters=told, expire=expires_seconds)  # type: ignore[call-arg]
        return str(url)


def bucket_origin() -> str:
    """`scheme://host` of the bucket's links, for those who must be told where they may fetch from."""
    link = signed_link("any", expires_seconds=1, filename="any", content_type="text/plain")
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}"


def _storage() -> Storage:
    return storages["default"]


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"not a key of media: {key!r}")
    return key


@contextmanager
def _reached() -> Iterator[None]:
    """Failures of the bucket in our own errors."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _MISSING:
            raise FileNotFoundError(code) from error
        _away(error)
    except BotoCoreError as error:
        _away(error)


def _away(error: Exception) -> None:
    logger.error("bucket failed", error=f"{type(error).__name__}: {error}")
    message = "The storage of files does not answer. Try again in a moment."
    raise Unavailable(message, code="storage_unavailable") from error
