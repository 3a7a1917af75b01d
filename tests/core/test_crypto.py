"""Secrets at rest: encrypted in the database, readable after a rotation, useless with another key."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.core.crypto import decrypt, decrypt_bytes, encrypt, encrypt_bytes
from apps.deployments.models import Deployment, Worker


def worker_with_token(token: str) -> Worker:
    deployment = Deployment.objects.create(name="cpu", engine="cpu")
    return Worker.objects.create(
        deployment=deployment, provider_id="w1", url="http://127.0.0.1:1", token=token
    )


def stored_token(worker: Worker) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM deployments_worker WHERE id = %s", [worker.pk])
        return str(cursor.fetchone()[0])


@given(st.text(min_size=1, max_size=60))
def test_what_goes_in_comes_out(plain: str) -> None:
    token = encrypt(plain)
    assert token != plain
    assert decrypt(token) == plain


@given(st.binary(max_size=200))
def test_bytes_go_in_and_come_out(plain: bytes) -> None:
    assert decrypt_bytes(encrypt_bytes(plain)) == plain


def test_the_same_secret_never_looks_the_same_twice() -> None:
    assert encrypt("secret") != encrypt("secret")


@pytest.mark.django_db
def test_the_database_only_sees_it_encrypted() -> None:
    worker = worker_with_token("s3cret-token")
    assert "s3cret" not in stored_token(worker)
    assert decrypt(stored_token(worker)) == "s3cret-token"
    worker.refresh_from_db()
    assert worker.token == "s3cret-token"


@pytest.mark.django_db
def test_empty_stays_empty() -> None:
    worker = worker_with_token("")
    assert stored_token(worker) == ""
    worker.refresh_from_db()
    assert worker.token == ""


def test_a_new_key_in_front_encrypts_and_the_old_one_still_reads(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    before = encrypt("kept")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert decrypt(before) == "kept"
    after = encrypt("kept")
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert decrypt(after) == "kept"
    with pytest.raises(InvalidToken):
        decrypt(before)
