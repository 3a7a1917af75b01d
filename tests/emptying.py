"""What a test with committed rows leaves behind is deleted; Django would truncate every table there is.

`flush` takes a third of a second: a hundred tables are rewritten to lose a dozen rows, and permissions and
content types are made anew. It also waits for everybody who reads, and a server beside the tests always does.
"""

from __future__ import annotations

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

# Made once by `migrate`, the same for all tests.
LASTING = frozenset({"django_content_type", "auth_permission", "django_site"})
# Beyond this, deleted rows would slow down the tests that come after: such tables are truncated.
LARGE_BYTES = 4 * 2**20
TRIES = 3

_flush = TransactionTestCase._fixture_teardown


def empty_instead_of_flushing() -> None:
    """From now on, for tests that do not roll back."""
    TransactionTestCase._fixture_teardown = _empty_all


def _empty_all(case: TransactionTestCase) -> None:
    for name in case._databases_names(include_mirrors=False):
        if not _empty(connections[name]):
            _flush(case)
            return


def _empty(connection: BaseDatabaseWrapper) -> bool:
    """False where so much is there that truncating is better."""
    filled = _filled(connection)
    if any(size > LARGE_BYTES for size in filled.values()):
        return False
    for attempt in range(1, TRIES + 1):
        try:
            # One transaction: foreign keys are looked at when all of it is done.
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute("SET LOCAL voiceflow.may_change = 'on'")
                for table in filled:
                    cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of ours
            break
        except DatabaseError:  # a server was writing
            if attempt == TRIES:
                raise
    return True


def _filled(connection: BaseDatabaseWrapper) -> dict[str, int]:
    """Tables with rows, and the bytes that each takes with its partitions; names are quoted."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    quoted = [connection.ops.quote_name(name) for name in sorted(set(names) - LASTING)]
    sizes = "(SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree('{0}'))"
    query = " UNION ALL ".join(
        f"SELECT '{name}', {sizes.format(name)} WHERE EXISTS (SELECT FROM {name})"  # noqa: S608 - names of ours
        for name in quoted
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {name: int(size or 0) for name, size in cursor.fetchall()}
