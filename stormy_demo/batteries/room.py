"""A room where people talk: who is in it, what was said last, and who is told.

How a member is reached is the member's business. `chat` has those on a WebSocket; whoever comes
by long poll is no member, and asks for the news.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Protocol

from .frames import text_frame


@dataclass(frozen=True)
class Message:
    """What somebody said.

    Attributes:
        id: names the message. Of two messages, the one that came later has the greater one.
        name: who said it.
        text: what they said.
    """

    id: str
    name: str
    text: str


class Member(Protocol):
    """Somebody in the room, who is told at once."""

    def take(self, frame: bytes) -> None:
        """Take the frame of a message, or several at once. It neither waits nor raises."""


class Room:
    """A room where everybody hears everything, in the same order.

    Attributes:
        most_waiting: bytes that may wait for a member who reads slowly, before they are given
            more.
        members: who is in the room.
    """

    def __init__(self, history: int = 20, most_waiting: int = 1 << 18) -> None:
        """Make an empty room.

        Args:
            history: how many of the last messages are kept, for those who come late.
            most_waiting: how many bytes may wait for a member who reads slowly.

        Raises:
            ValueError: one of the two is less than 1.
        """
        if history < 1 or most_waiting < 1:
            raise ValueError("history and most_waiting must be 1 or more")
        if history > sys.maxsize:
            raise ValueError(f"history must be {sys.maxsize} at most, not {history}")
        self.most_waiting = most_waiting
        self.members: set[Member] = set()
        self._history: deque[tuple[Message, bytes]] = deque(maxlen=history)
        self._arrival = asyncio.Event()
        # With the time in front: who knows a message of before the server was started again is
        # not taken for one who knows a part of what was said since.
        self._born = time.time_ns()
        self._numbers = itertools.count(1)

    async def say(self, name: str, text: str) -> None:
        """Tell everybody. A room that spans processes does this by way of a broker.

        Args:
            name: who says it.
            text: what they say.
        """
        id_ = f"{self._born:x}-{next(self._numbers):010}"
        self.deliver(Message(id_, name, text))

    def deliver(self, message: Message) -> None:
        """Hand a message to everybody who is in the room, and keep it for those who come.

        Args:
            message: what was said, later than all that was delivered before.
        """
        frame = text_frame(json.dumps(asdict(message), ensure_ascii=False).encode())
        self._history.append((message, frame))
        # A copy, since a member may be sent away meanwhile.
        for member in list(self.members):
            member.take(frame)
        self._arrival.set()
        self._arrival = asyncio.Event()

    def join(self, member: Member, since: str = "") -> None:
        """Let somebody in, and hand them what was said last.

        Args:
            member: who comes.
            since: the id of the last message that they know, if they were here before.
        """
        self.members.add(member)
        if newer := self._newer(since):
            member.take(b"".join(frame for _, frame in newer))

    def leave(self, member: Member) -> None:
        """Let somebody go, who may have been sent away before."""
        self.members.discard(member)

    def since(self, last: str) -> list[Message]:
        """Return what is kept and newer than a message.

        Args:
            last: the id of that message; with an empty or an unknown one, all is newer.
        """
        return [message for message, _ in self._newer(last)]

    async def news(self, last: str) -> list[Message]:
        """Return what is newer than a message, and wait until there is something.

        Args:
            last: the id of that message, see `since`.
        """
        while not (newer := self.since(last)):
            await self._arrival.wait()
        return newer

    def _newer(self, last: str) -> list[tuple[Message, bytes]]:
        kept = list(self._history)
        for place, (message, _) in enumerate(kept):
            if message.id == last:
                return kept[place + 1 :]
        return kept
