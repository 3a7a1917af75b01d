"""Where media is kept: an S3 bucket where the environment names one, else files in VAR_DIR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .env import ENV

S3_BUCKET: str = ENV["S3_BUCKET"]
MEDIA_ROOT = ENV["VAR_DIR"] / "media"


def storage(env: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of STORAGES that `apps.core.media` keeps its files in."""
    if not env["S3_BUCKET"]:
        location = env["VAR_DIR"] / "media"
        return {"BACKEND": "apps.core.media.local.PrivateFiles", "OPTIONS": {"location": location}}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _bucket(env)}


def _bucket(env: Mapping[str, Any]) -> dict[str, Any]:
    from botocore.config import Config  # not loaded where nothing needs it

    client = Config(
        signature_version="s3v4",
        # Servers other than Amazon's rarely have a host name for each bucket, or know its newer checksums.
        s3={"addressing_style": "path" if env["S3_ENDPOINT_URL"] else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    return {
        "bucket_name": env["S3_BUCKET"],
        "endpoint_url": env["S3_ENDPOINT_URL"] or None,
        "region_name": env["S3_REGION"] or None,
        "access_key": env["S3_ACCESS_KEY_ID"] or None,
        "secret_key": env["S3_SECRET_ACCESS_KEY"] or None,
        "client_config": client,
        "file_overwrite": True,
        "default_acl": None,  # that of the bucket, which should be private
    }


MEDIA_STORAGE = storage(ENV)
