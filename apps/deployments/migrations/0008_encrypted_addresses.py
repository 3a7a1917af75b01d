"""Addresses of workers that the database has seen are encrypted where they stand."""

from collections.abc import Callable
from typing import Any

from django.db import migrations, models

import apps.core.crypto
from apps.core.crypto import decrypt, encrypt

AT_ONCE = 500


def _rewritten(rewrite: Callable[[str], str]) -> Callable[[Any, Any], None]:
    def run(registry: Any, schema_editor: Any) -> None:
        workers = registry.get_model("deployments", "Worker").objects.using(schema_editor.connection.alias)
        batch = []
        for worker in workers.exclude(url="").only("url").iterator(chunk_size=AT_ONCE):
            worker.url = rewrite(worker.url)
            batch.append(worker)
            if len(batch) == AT_ONCE:
                workers.bulk_update(batch, ["url"])
                batch.clear()
        workers.bulk_update(batch, ["url"])

    return run


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0007_event_by_key"),
    ]

    operations = [
        # As plain text meanwhile: an address that is encrypted is longer than it was.
        migrations.AlterField(
            model_name="worker",
            name="url",
            field=models.TextField(blank=True),
        ),
        migrations.RunPython(_rewritten(encrypt), _rewritten(decrypt)),
        migrations.AlterField(
            model_name="worker",
            name="url",
            field=apps.core.crypto.EncryptedTextField(
                blank=True, editable=False, help_text="Empty until its address is known."
            ),
        ),
    ]
