"""SQLite: the database is a file, or is in memory, and no server is needed.

Its library blocks, so aiosqlite has a thread for each connection, which takes one call after
another.
"""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import aiosqlite

from .store import Store

TABLES = """
CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS visits (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);
"""


class SqliteStore(Store):
    """One connection, for whoever has its lock."""

    failures = (TimeoutError, sqlite3.Error)

    def __init__(self, url: str, patience: float) -> None:
        """Keep where it is, see `store_for`.

        Raises:
            ValueError: no file can have this name.
        """
        super().__init__(patience)
        self.path = url.removeprefix("sqlite:") or ":memory:"
        if "\0" in self.path:
            raise ValueError("a file has no zero in its name")
        self._lock = asyncio.Lock()
        self._db: aiosqlite.Connection | None = None

    async def add(self, text: str) -> None:
        """Store a message."""
        await self.ask("INSERT INTO messages (text) VALUES (?)", text)

    async def latest(self, number: int) -> list[str]:
        """Return so many of the messages, the newest first."""
        rows = await self.ask("SELECT text FROM messages ORDER BY id DESC LIMIT ?", number)
        return [text for (text,) in rows]

    async def visit(self) -> int:
        """Count a visit, and return how many there have been with it."""
        [(n,)] = await self.ask(
            "INSERT INTO visits VALUES (1, 1) "
            "ON CONFLICT (id) DO UPDATE SET n = visits.n + 1 RETURNING n"
        )
        return int(n)

    async def ask(self, statement: str, *values: str | int) -> list[Any]:
        """Run a statement, which is a transaction of its own, and return its rows.

        Args:
            statement: it, with a question mark for each value, which is never a part of it.
            *values: they.

        Raises:
            Gone: the database does not answer.
        """
        async with self.asking():
            await self._lock.acquire()
            # The thread goes on with what its visitor has given up. So the lock is the call's,
            # and there is never a second one in the thread.
            call = asyncio.ensure_future(self._rows(statement, values))
            call.add_done_callback(self._release)
            await asyncio.wait([call])
            return call.result()

    def _release(self, call: asyncio.Future[list[Any]]) -> None:
        self._lock.release()
        # Nobody else may be there to take it.
        if not call.cancelled():
            call.exception()

    async def _rows(self, statement: str, values: tuple[str | int, ...]) -> list[Any]:
        self._db = self._db or await self._connected()
        return list(await self._db.execute_fetchall(statement, values))

    async def _connected(self) -> aiosqlite.Connection:
        # Somebody else may be writing to the file. SQLite waits for that, too, and gives up
        # before a visitor does who did not stand in line.
        db = aiosqlite.connect(self.path, timeout=self.patience / 2, isolation_level=None)
        try:
            await db
            await db.executescript(TABLES)
        except BaseException:
            await db.close()
            # Its end is told to the loop, which has to be there until then.
            await asyncio.to_thread(db._thread.join)
            raise
        return db

    async def _end(self) -> None:
        async with self._lock:
            if self._db:
                await self._db.close()
                self._db = None
