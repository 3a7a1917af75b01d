"""S3 on loopback: moto's server in a process of its own, with one private bucket."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import httpx

from apps.core import processes
from tests.platform import free_port, until

BUCKET = "voiceflow-tests"


@contextmanager
def running_s3(folder: Path) -> Iterator[dict[str, str]]:
    """The environment that leads to its bucket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": url,
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY_ID": "tests",
        "S3_SECRET_ACCESS_KEY": "tests-secret",
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = processes.spawn(command, env=dict(os.environ), log=folder / "s3.log")
    try:
        until(lambda: _answers(url), seconds=60, what="S3")
        boto3.client(
            "s3",
            endpoint_url=url,
            region_name=environment["S3_REGION"],
            aws_access_key_id=environment["S3_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["S3_SECRET_ACCESS_KEY"],
        ).create_bucket(Bucket=BUCKET)
        yield environment
    finally:
        processes.terminate(process, grace_seconds=2)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code < 500
    except httpx.TransportError:
        return False
