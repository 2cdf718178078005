"""What all stores have in common: their methods, and how long a visitor waits."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from tornado.log import app_log
from tornado.web import HTTPError

from ...backend import LONGEST


class Gone(HTTPError):
    """A 503: the database does not answer, or refuses; the log says which.

    What was to be stored may be stored nevertheless, if only the answer was lost.
    """

    def __init__(self) -> None:
        """Keep a sentence for the visitor."""
        super().__init__(503, "The database does not answer: try again later.")


class Store(ABC):
    """Messages, and a count of the visits. It connects when it is asked, anew if it must.

    Attributes:
        failures: what the driver raises, and `TimeoutError`.
    """

    failures: ClassVar[tuple[type[Exception], ...]]

    def __init__(self, patience: float) -> None:
        """Keep how long a visitor waits, in seconds.

        Raises:
            ValueError: that is nothing, or more than a day.
        """
        if not 0 < patience <= LONGEST:
            raise ValueError(
                f"patience must be more than 0 seconds, and a day at most, not {patience}"
            )
        self.patience = patience
        self._is_closed = False

    @abstractmethod
    async def add(self, text: str) -> None:
        """Store a message.

        Raises:
            Gone: the database does not answer.
        """

    @abstractmethod
    async def latest(self, number: int) -> list[str]:
        """Return so many of the messages, the newest first.

        Raises:
            Gone: the database does not answer.
        """

    @abstractmethod
    async def visit(self) -> int:
        """Count a visit, and return how many there have been with it.

        Raises:
            Gone: the database does not answer.
        """

    async def close(self) -> None:
        """Close the connections, however the database is. Who asks later is told `Gone`."""
        self._is_closed = True
        await self._end()

    @abstractmethod
    async def _end(self) -> None: ...

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Ask the database in a block, which may take as long as a visitor waits.

        Raises:
            Gone: it takes longer, or the driver fails, and the log says why; or the store is
                closed.
        """
        if self._is_closed:
            raise Gone
        try:
            async with asyncio.timeout(self.patience):
                yield
        except self.failures as error:
            why = " ".join(str(error).split()) or f"nothing for {self.patience:g} s"
            app_log.warning("the database refuses, or does not answer: %s", why)
            raise Gone from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
