"""MongoDB, by PyMongo's own client for asyncio, which took the place of Motor."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.errors import DuplicateKeyError, PyMongoError

from .store import Store


class MongoStore(Store):
    """A client, which has as many connections as are needed, up to 100, and makes them anew."""

    failures = (TimeoutError, PyMongoError)

    def __init__(self, url: str, patience: float) -> None:
        """Keep where it is, see `store_for`. Without a name, its database is called stormy.

        Raises:
            ValueError: this is not the address of a MongoDB.
        """
        super().__init__(patience)
        limit = max(1, int(patience * 1000))
        try:
            # Looking for a server takes half a minute, unless somebody says otherwise.
            self.client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
                url, serverSelectionTimeoutMS=limit, connectTimeoutMS=limit
            )
            database = self.client.get_default_database("stormy")
        # The port of an address may be no number, and a file that it names may be missing. What
        # is said has no password in it, as the address has.
        except (PyMongoError, OSError, ValueError, TypeError) as error:
            raise ValueError(f"this is no address of a MongoDB: {error}") from None
        self.messages, self.visits = database["messages"], database["visits"]

    async def add(self, text: str) -> None:
        """Store a message."""
        async with self.asking():
            await self.messages.insert_one({"msg": text})

    async def latest(self, number: int) -> list[str]:
        """Return so many of the messages, the newest first.

        Those of two servers in the same second are in no certain order.
        """
        async with self.asking():
            # An id begins with the second in which it was made. Then it has five bytes of the
            # process, and then it goes up.
            found = self.messages.find().sort("_id", -1).limit(number)
            return [each["msg"] for each in await found.to_list()]

    async def visit(self) -> int:
        """Count a visit, and return how many there have been with it."""
        # The first makes the document. `upsert=True` would do that too, but where several are
        # first at once, SecantusDB 0.7 gives some of them nothing.
        async with self.asking():
            while not (counted := await self._count()):
                with suppress(DuplicateKeyError):
                    await self.visits.insert_one({"_id": "all", "n": 0})
            return int(counted["n"])

    async def _count(self) -> dict[str, Any] | None:
        return await self.visits.find_one_and_update(
            {"_id": "all"}, {"$inc": {"n": 1}}, return_document=ReturnDocument.AFTER
        )

    async def _end(self) -> None:
        # It says good-bye to the server, which may not listen; the second time it does not.
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.patience):
                    await self.client.close()
        finally:
            await self.client.close()
