"""What migrations do to rows that are there already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.deployments.models import Worker

pytestmark = pytest.mark.django_db(transaction=True)
ROOM = "deployments"


def migrate(name: str) -> Any:
    """To that migration of this room, back or forth; returns the models as they are there."""
    executor = MigrationExecutor(connection)
    executor.migrate([(ROOM, name)])
    return executor.loader.project_state([(ROOM, name)]).apps


@pytest.fixture
def latest() -> Iterator[str]:
    """The newest migration of this room, to which the database comes back."""
    [(_, name)] = MigrationExecutor(connection).loader.graph.leaf_nodes(ROOM)
    yield name
    migrate(name)


def stored() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM deployments_worker ORDER BY provider_id")
        return [url for (url,) in cursor.fetchall()]


def test_addresses_that_are_there_are_encrypted_and_back(latest: str) -> None:
    before = migrate("0007_event_by_key")
    deployment = before.get_model(ROOM, "Deployment").objects.create(name="one", engine="cpu")
    addresses = {"a": "https://containers.example/vf-one", "b": "", "c": "http://10.0.0.7:8000"}
    for name, url in addresses.items():
        before.get_model(ROOM, "Worker").objects.create(deployment=deployment, provider_id=name, url=url)

    migrate(latest)
    assert [url[:5] for url in stored()] == ["gAAAA", "", "gAAAA"]
    assert dict(Worker.objects.values_list("provider_id", "url")) == addresses
    assert Worker.objects.filter(url="").count() == 1

    migrate("0007_event_by_key")
    assert stored() == list(addresses.values())
