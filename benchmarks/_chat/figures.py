"""What was measured of each chat, and the rows that it becomes."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from classroom.measuring.ratios import Ratios

from .._shared.report import Row


@dataclass
class Talk:
    """What was seen of a room in which people talked.

    Attributes:
        people: how many were in the room.
        said: how many messages.
        lost: how many people have not heard all of them.
        twice: how often somebody heard one again.
        dropped: how many people the server sent away.
        cpu: µs of the server's processor time for each delivery, in each round.
        error: what went wrong, if something did.
    """

    people: int = 0
    said: int = 0
    lost: int = 0
    twice: int = 0
    dropped: int = 0
    cpu: list[float] = field(default_factory=list)
    error: str = ""


@dataclass
class Idle:
    """What was seen of a room in which nobody said anything.

    Attributes:
        people: how many came.
        bytes: of the server's memory, for each of them.
        lost: how many have not heard the message that came at the end.
        error: what went wrong, if something did.
    """

    people: int = 0
    bytes: int | None = None
    lost: int | None = None
    error: str = ""


def rows_of(talks: dict[str, Talk], baseline: str) -> list[Row]:
    """Return a row for each chat, with the ratio of its rounds to those of the baseline."""
    beside = talks[baseline].cpu if baseline in talks else []
    rows = []
    for mode, talk in talks.items():
        ratios = Ratios.of(talk.cpu, beside) if len(talk.cpu) == len(beside) > 0 else None
        rows.append(
            {
                "mode": mode,
                "people": talk.people,
                "messages": talk.said,
                "lost": talk.lost,
                "twice": talk.twice,
                "dropped": talk.dropped,
                "cpu_us": round(statistics.median(talk.cpu), 1) if talk.cpu else None,
                "ratio": ratios and ratios.median,
                "ratio_lowest": ratios and ratios.lowest,
                "ratio_highest": ratios and ratios.highest,
                "error": talk.error,
            }
        )
    return rows


def idle_rows_of(rooms: dict[str, Idle]) -> list[Row]:
    """Return a row for each chat."""
    return [
        {
            "mode": mode,
            "people": idle.people,
            "bytes": idle.bytes,
            "lost": idle.lost,
            "twice": 0,
            "error": idle.error,
        }
        for mode, idle in rooms.items()
    ]
