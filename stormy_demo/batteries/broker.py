"""News for processes that share nothing: a stream in Valkey, or in any Redis from 5 on.

Whoever has news adds it to the stream (`XADD`), which gives it the next id, the same for all.
Each process reads the stream (`XREAD`) from the id that it read last. So all have the same news
in the same order, and one that comes late, or was cut off, reads what it has missed: the stream
keeps it. (`PUBLISH` keeps nothing: what comes while nobody listens is gone.)
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tornado.web import HTTPError

from .room import Message, Room

try:
    from valkey.asyncio import BlockingConnectionPool, Valkey
    from valkey.exceptions import ConnectionError as Disconnected
    from valkey.exceptions import TimeoutError as NoAnswer
    from valkey.exceptions import ValkeyError as ValkeyError
except ImportError as error:
    raise ImportError(
        f"The broker needs valkey, and {error.name} cannot be imported: pip install valkey",
        name=error.name,
    ) from error

STREAM = "stormy-webber:room"
KEPT = 1000  # messages in the stream
BATCH = 200  # of them in one answer
CONNECTIONS = 4  # to add messages

# Seconds. A reading that found nothing begins anew after the first; a broker is given up that
# has not answered after the second; the third passes before it is asked once more.
LONGEST_READING = 5.0
PATIENCE = 30.0
BEFORE_NEXT = 0.1

BEGINNING = "0-0"

log = logging.getLogger(__name__)


class Broker:
    """One stream, to which all processes add, and which all of them read."""

    def __init__(self, url: str, stream: str = STREAM, kept: int = KEPT) -> None:
        """Make ready to ask; nothing is sent yet.

        Args:
            url: where it is, such as "redis://127.0.0.1:6379" or "unix:///tmp/socket".
            stream: the key of the stream.
            kept: how many messages the stream keeps for those who were cut off.

        Raises:
            ValueError: this is not the address of a Valkey or Redis.
        """
        self.stream, self.kept = stream, kept
        # One to add and one to read, which takes its connection for all of the time.
        self._adding, self._reading = client(url), client(url)

    async def add(self, fields: dict[str, str]) -> str:
        """Add news to the stream, and return its id.

        Args:
            fields: what is new.

        Raises:
            ValkeyError: it could not be added; or it was, and the answer was lost.
        """
        id_: str = await self._adding.xadd(
            self.stream, dict(fields), maxlen=self.kept, approximate=False
        )
        return id_

    async def read(self, after: str, wait: float | None = None) -> list[tuple[str, Any]]:
        """Return what came after some news, with ids, in order; not all, if it is much.

        Args:
            after: the id of that news.
            wait: how many seconds to wait for the first if there is nothing; `None` for not at
                all.

        Raises:
            ValkeyError: it could not be read.
        """
        found = await self._reading.xread(
            {self.stream: after}, count=BATCH, block=None if wait is None else int(wait * 1000)
        )
        return [entry for _, entries in found for entry in entries]

    async def close(self) -> None:
        """Close the connections."""
        await self._adding.aclose()
        await self._reading.aclose()


class BrokeredRoom(Room):
    """A room that is the same in all processes that have the same broker."""

    def __init__(self, broker: Broker, history: int = 20, most_waiting: int = 1 << 18) -> None:
        """Make a room in which nothing was heard yet, see `listening`.

        Args:
            broker: what the processes share.
            history: how many of the last messages are kept, for those who come late.
            most_waiting: how many bytes may wait for a member who reads slowly.

        Raises:
            ValueError: one of the two is less than 1.
        """
        super().__init__(history, most_waiting)
        self.broker = broker
        self._heard = BEGINNING

    async def say(self, name: str, text: str) -> None:
        """Tell everybody, in all processes.

        It comes back from the broker, to this process as to the others, and is delivered then:
        so it has the same place everywhere among what others say at the same moment.

        Args:
            name: who says it.
            text: what they say.

        Raises:
            HTTPError: a 503; the broker cannot be reached.
        """
        try:
            await self.broker.add({"name": name, "text": text})
        except ValkeyError as error:
            log.warning("nothing can be said: %s", error)
            raise HTTPError(503, "The broker cannot be reached: say it again later.") from None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear what is said, here and elsewhere, as long as the block lasts.

        What the stream has kept is delivered before the block begins, if the broker is there.

        Raises:
            ExceptionGroup: the broker answers, and has something else there than a stream.
        """
        try:
            async with asyncio.TaskGroup() as group:
                await self._catch_up()
                hearing = group.create_task(self._hear())
                try:
                    yield
                finally:
                    # More than once: up to Python 3.11, `wait_for`, which the client uses, may
                    # lose a cancellation that comes together with an answer.
                    while not hearing.done():
                        hearing.cancel()
                        await asyncio.wait([hearing], timeout=0.1)
        finally:
            await self.broker.close()

    async def _catch_up(self) -> None:
        try:
            while news := await self.broker.read(self._heard):
                self._deliver_all(news)
        except (Disconnected, NoAnswer) as error:
            log.warning("the broker cannot be reached, and is asked again: %s", error)

    async def _hear(self) -> None:
        is_there = True
        while True:
            try:
                self._deliver_all(await self.broker.read(self._heard, LONGEST_READING))
                is_there = True
            except (Disconnected, NoAnswer) as error:
                # From where it has come to: what is said meanwhile is in the stream.
                if is_there:
                    log.warning("the broker is gone, and is asked again: %s", error)
                is_there = False
                await asyncio.sleep(BEFORE_NEXT)

    def _deliver_all(self, news: list[tuple[str, Any]]) -> None:
        for id_, fields in news:
            self._heard = id_
            match fields:
                case {"name": str(name), "text": str(text)}:
                    self.deliver(Message(sortable(id_), name, text))
                case _:
                    log.warning("%s of the stream is no message, and is left out", id_)

    def _newer(self, last: str) -> list[tuple[Message, bytes]]:
        # By their order, and not by finding it: somebody who has heard it in a process that is
        # ahead of this one has heard what this one knows, too.
        if not re.fullmatch(r"\d{15}-\d{10}", last, re.ASCII):
            last = ""
        return [each for each in self._history if each[0].id > last]


def sortable(id_: str) -> str:
    """Return the id of an entry such that its letters sort as the ids do.

    Args:
        id_: milliseconds and a number, such as "1764420000000-3".
    """
    milliseconds, _, number = id_.partition("-")
    return f"{int(milliseconds):015}-{int(number):010}"


def client(url: str) -> Any:
    """Return a client that waits for its answers with `await`.

    Args:
        url: where it is.

    Raises:
        ValueError: this is not the address of a Valkey or Redis.
    """
    # The schemes have other names here, and mean the same.
    url = re.sub(r"^redis(?=s?://)", "valkey", url)
    pool = BlockingConnectionPool.from_url(
        url,
        decode_responses=True,
        # Others may write there, too: of a text that is no UTF-8, all processes would die.
        encoding_errors="replace",
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        # Not one for each who speaks: a thousand do at once.
        max_connections=CONNECTIONS,
        timeout=PATIENCE,
    )
    return Valkey.from_pool(pool)
