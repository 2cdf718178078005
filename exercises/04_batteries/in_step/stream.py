"""A broker for the check: a stream, and connections to it that break when they are told to."""

from __future__ import annotations

import asyncio

# An id that no text has: how many texts there are is not the id of the last one. The first two
# have ids that follow each other, so that whoever passes an id over misses a text.
LEFT_OUT = 3


class Stream:
    """What was said, in its order, with ids that grow; the first has the id 1."""

    def __init__(self) -> None:
        self.news: list[tuple[int, str]] = []
        self.arrival = asyncio.Event()

    def add(self, text: str) -> int:
        """Add a text, wake those who wait, and return its id."""
        id_ = self.last + 1
        if id_ == LEFT_OUT:
            id_ += 1
        self.news.append((id_, text))
        self.wake()
        return id_

    @property
    def last(self) -> int:
        """The id of the last text; 0 if there is none."""
        return self.news[-1][0] if self.news else 0

    def wake(self) -> None:
        """Have all look who wait."""
        self.arrival.set()
        self.arrival = asyncio.Event()


class Broker:
    """The connection of one process to the broker.

    Attributes:
        is_cut: whether the connection is broken.
        loses_answers: what is added is there, and who adds it hears that the connection broke.
        was_asked_for_last: whether somebody wanted to know the last id.
        reads: how often the stream was read.
        gate: what is added waits for it.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.is_cut = False
        self.loses_answers = False
        self.was_asked_for_last = False
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def add(self, text: str) -> int:
        """Add a text to the stream, and return its id.

        Raises:
            ConnectionError: the connection is broken.
        """
        await self.gate.wait()
        await asyncio.sleep(0)
        self._refuse_if_cut()
        id_ = self._stream.add(text)
        if self.loses_answers:
            raise ConnectionError("the connection broke before the answer came")
        return id_

    async def read(self, after: int) -> list[tuple[int, str]]:
        """Return what came after this id, as pairs of id and text; wait if there is nothing.

        Raises:
            ConnectionError: the connection is broken.
        """
        self.reads += 1
        await asyncio.sleep(0)
        while not (news := self._after(after)):
            await self._stream.arrival.wait()
        return news

    async def last(self) -> int:
        """Return the id of the last text; 0 if there is none.

        Raises:
            ConnectionError: the connection is broken.
        """
        self.was_asked_for_last = True
        await asyncio.sleep(0)
        self._refuse_if_cut()
        return self._stream.last

    def cut(self) -> None:
        """Break the connection."""
        self.is_cut = True
        self._stream.wake()

    def _after(self, after: int) -> list[tuple[int, str]]:
        self._refuse_if_cut()
        return [each for each in self._stream.news if each[0] > after]

    def _refuse_if_cut(self) -> None:
        if self.is_cut:
            raise ConnectionError("the connection to the broker is broken")
