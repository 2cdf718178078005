"""PostgreSQL, by psycopg 3, whose connections can be awaited.

On Windows that needs a `SelectorEventLoop`, which is not the loop that one gets there.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict

from .store import Store

# `IF NOT EXISTS` fails where two are first at once, so they take turns.
TABLES = """
SELECT pg_advisory_xact_lock(hashtext('tables of messages'));
CREATE TABLE IF NOT EXISTS messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL
);
CREATE TABLE IF NOT EXISTS visits (id int PRIMARY KEY, n bigint NOT NULL);
"""


class PostgresStore(Store):
    """One connection, for whoever has its lock; where many come, `psycopg_pool` has several."""

    failures = (TimeoutError, psycopg.Error)

    def __init__(self, url: str, patience: float) -> None:
        """Keep where it is, see `store_for`.

        Raises:
            ValueError: this is not the address of a PostgreSQL.
        """
        super().__init__(patience)
        try:
            ports = conninfo_to_dict(url).get("port") or "5432"
            if not all(0 < int(port or "5432") < 65536 for port in str(ports).split(",")):
                raise ValueError("a port is a number up to 65535")
        except (psycopg.ProgrammingError, ValueError) as error:
            # What it quotes may be the whole address, which may have a password in it.
            why = " ".join(str(error).split()).partition('"')[0].rstrip(" :")
            raise ValueError(f"this is no address of a PostgreSQL: {why}") from None
        self.url = url
        self._lock = asyncio.Lock()
        self._db: psycopg.AsyncConnection | None = None

    async def add(self, text: str) -> None:
        """Store a message."""
        await self.ask("INSERT INTO messages (text) VALUES (%s)", text)

    async def latest(self, number: int) -> list[str]:
        """Return so many of the messages, the newest first."""
        rows = await self.ask("SELECT text FROM messages ORDER BY id DESC LIMIT %s", number)
        return [text for (text,) in rows]

    async def visit(self) -> int:
        """Count a visit, and return how many there have been with it."""
        [(n,)] = await self.ask(
            "INSERT INTO visits VALUES (1, 1) "
            "ON CONFLICT (id) DO UPDATE SET n = visits.n + 1 RETURNING n"
        )
        return int(n)

    async def ask(self, statement: LiteralString, *values: str | int) -> list[Any]:
        """Run a statement, which is a transaction of its own, and return its rows.

        Args:
            statement: it, with "%s" for each value, which is never a part of it.
            *values: they.

        Raises:
            Gone: the database does not answer.
        """
        async with self.asking(), self._lock:
            if self._db is None or self._db.closed:
                self._db = await self._connected()
            return await _or_hang_up(self._db, _rows(self._db, statement, values))

    async def _connected(self) -> psycopg.AsyncConnection:
        db = await psycopg.AsyncConnection.connect(self.url, autocommit=True)
        try:
            await _or_hang_up(db, _rows(db, TABLES))
        except BaseException:
            await db.close()
            raise
        return db

    async def _end(self) -> None:
        async with self._lock:
            if self._db:
                await self._db.close()


async def _rows(
    db: psycopg.AsyncConnection, statement: LiteralString, values: tuple[str | int, ...] = ()
) -> list[Any]:
    # Without values, it may be several statements.
    cursor = await db.execute(statement, values or None)
    return await cursor.fetchall() if cursor.description else []


async def _or_hang_up(
    db: psycopg.AsyncConnection, rows: Coroutine[Any, Any, list[Any]]
) -> list[Any]:
    asked = asyncio.ensure_future(rows)
    try:
        await asyncio.wait([asked])
    except asyncio.CancelledError:
        # If it is cancelled, psycopg asks the server to stop, and waits for that up to ten
        # seconds. If the connection is closed, the loop goes on watching its number, which may
        # be somebody else's by then. So psycopg has to notice an end of the line.
        with (
            suppress(OSError, psycopg.Error),
            socket.fromfd(db.pgconn.socket, socket.AF_INET, socket.SOCK_STREAM) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)
        await asyncio.wait([asked])
        if not asked.cancelled():
            asked.exception()
        await db.close()
        raise
    return asked.result()
