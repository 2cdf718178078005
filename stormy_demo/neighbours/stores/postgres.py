"""PostgreSQL, by psycopg 3, whose connections can be awaited."""

from __future__ import annotations

import asyncio
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict

from .store import Store

TABLES = """
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
            conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            why = " ".join(str(error).split())
            raise ValueError(f"{url} is no address of a PostgreSQL: {why}") from None
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
            asked = asyncio.ensure_future(self._rows(self._db, statement, values))
            try:
                await asyncio.wait([asked])
            except asyncio.CancelledError:
                # First: if it is cancelled, psycopg asks the server to stop, and waits for
                # that up to ten seconds.
                self._db.pgconn.finish()
                asked.cancel()
                raise
            return asked.result()

    @staticmethod
    async def _rows(
        db: psycopg.AsyncConnection, statement: LiteralString, values: tuple[str | int, ...]
    ) -> list[Any]:
        cursor = await db.execute(statement, values)
        return await cursor.fetchall() if cursor.description else []

    async def _connected(self) -> psycopg.AsyncConnection:
        db = await psycopg.AsyncConnection.connect(self.url, autocommit=True)
        try:
            await db.execute(TABLES)
        except BaseException:
            await db.close()
            raise
        return db

    async def close(self) -> None:
        """Close the connection."""
        async with self._lock:
            if self._db:
                await self._db.close()
