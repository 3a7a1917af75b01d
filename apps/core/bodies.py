"""Bodies larger than Django takes elsewhere, for the few views that are meant for them."""

from __future__ import annotations

from io import BytesIO

from django.conf import settings
from django.http import HttpRequest

from apps.core.errors import PayloadTooLarge


def read_larger_body(request: HttpRequest) -> None:
    """Reads the body before Django would, within the bound that LARGER_BODIES has for its path.

    Raises `PayloadTooLarge`. To be called before anything looks at `body` or `POST`.
    """
    bounds = settings.LARGER_BODIES.items()
    found = (size for beginning, size in bounds if request.path.startswith(beginning))
    max_bytes = next(found, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    body = request.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise PayloadTooLarge(f"The body is larger than {max_bytes} bytes.")
    request._body = body
    request._stream = BytesIO(body)
