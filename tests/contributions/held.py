"""Locks that stop a process at the very statement that needs them, to be killed there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, models
from psycopg import sql

from tests.platform import test_database_url, until

SECONDS = 60.0


class Lock:
    """Taken and let go in a session of its own, again and again; who needs it meanwhile waits."""

    def __init__(self, session: psycopg.Connection[Any], statement: sql.Composed, *values: object) -> None:
        self._session, self._statement, self._values = session, statement, values

    def take(self) -> None:
        self._session.execute(self._statement, self._values)

    def let_go(self) -> None:
        self._session.rollback()

    def waiting(self) -> list[int]:
        """The sessions of the database that it keeps waiting."""
        blocked = "SELECT pid FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
        return [pid for (pid,) in _rows(blocked, self._session.info.backend_pid)]

    def until_reached(self) -> None:
        until(self.waiting, seconds=SECONDS, what="a process to need the lock")

    def lose_waiting(self) -> None:
        """What waits is not done any more: as where the statement of who died had never arrived."""
        for pid in self.waiting():
            _rows("SELECT pg_terminate_backend(%s, 10000)", pid)


@contextmanager
def row(of: models.Model) -> Iterator[Lock]:
    """Nobody changes this row, locks it, or commits what refers to it anew. Not taken yet."""
    wanted = sql.SQL("SELECT FROM {} WHERE id = %s FOR UPDATE").format(sql.Identifier(of._meta.db_table))
    with _session() as session:
        yield Lock(session, wanted, of.pk)


@contextmanager
def writing(to: type[models.Model]) -> Iterator[Lock]:
    """Nobody writes to the table. Not taken yet."""
    with _session() as session:
        yield Lock(session, _table(to, "EXCLUSIVE"))


@contextmanager
def reading(of: type[models.Model]) -> Iterator[Lock]:
    """Nobody even reads of the table. Not taken yet."""
    with _session() as session:
        yield Lock(session, _table(of, "ACCESS EXCLUSIVE"))


def until_gone(application: str) -> None:
    """Until the database has noticed that processes of that name are dead, and ended what they were at."""
    left = "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()"
    until(lambda: not _rows(left, application), seconds=SECONDS, what="the sessions of the dead to end")


def lapse(model: type[models.Model]) -> None:
    """So much time goes by that the claims of the dead have run out."""
    statement = sql.SQL(
        "UPDATE {} SET claimed_until = now() - interval '1 second' WHERE claimed_until > now()"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.format(sql.Identifier(model._meta.db_table)).as_string())


def _table(model: type[models.Model], mode: str) -> sql.Composed:
    return sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.Identifier(model._meta.db_table), sql.SQL(mode))


@contextmanager
def _session() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(test_database_url()) as session:
        session.execute("SET lock_timeout = '30s'")
        session.commit()
        yield session
        session.rollback()


def _rows(query: str, *values: str | int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())
