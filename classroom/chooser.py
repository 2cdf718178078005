"""What to take for a server, by what it waits for; the figures are those of `benchmarks/`."""

from __future__ import annotations

import html
from typing import NamedTuple

from .measured import NotMeasured, result
from .measured.figures import ratio

COLUMNS = ("your backend", "who waits", "whose code", "take", "see section", "measured")


class Figure(NamedTuple):
    """A ratio that speaks for a choice, and how it is told.

    Attributes:
        name: the benchmark.
        group: what was measured apart.
        mode: the thing that was compared.
        figure: what of it.
        words: what the ratio is, with `{}` in its place.
    """

    name: str
    group: str
    mode: str
    figure: str
    words: str

    def __str__(self) -> str:
        try:
            measured = result(self.name)
        except LookupError:
            return f"not measured yet: workshop.py bench {self.name}"
        try:
            told = ratio(measured.ratio(self.group, self.mode, self.figure))
            low, high = measured.within(self.group, self.mode, self.figure)
        except NotMeasured as reason:
            return str(reason)
        return f"{self.words.format(told)} ({ratio(low)} to {ratio(high)})"


class Choice(NamedTuple):
    """What to take, and when.

    Attributes:
        backend: what it waits for.
        waits: how many wait at once.
        code: whose code it is that waits.
        take: what to take.
        sections: the numbers of those that show it.
        figure: what speaks for it, or against it.
    """

    backend: str
    waits: str
    code: str
    take: str
    sections: tuple[int, ...]
    figure: Figure

    def cells(self) -> list[str]:
        """Return it as the cells of a row."""
        sections = ", ".join(map(str, self.sections))
        return [self.backend, self.waits, self.code, self.take, sections, str(self.figure)]


NEAR = "0 ms away, 200 at once"
FEW, FAR = "50 ms away, 50 at once", "50 ms away, 200 at once"
TWO = "2 processes, a socket each"
TALK = "people who talk"
CHOICES = (
    Choice(
        "none, or it answers at once; and little is calculated",
        "however many",
        "anybody's",
        "plain blocking code",
        (4,),
        Figure("clients", NEAR, "blocking", "rps", "{} × the requests of await"),
    ),
    Choice(
        "none: it calculates, in Python",
        "more than one",
        "anybody's",
        "a process for each processor, with whatever server",
        (3,),
        Figure("processes", "work", TWO, "rps", "{} × the requests of one process"),
    ),
    Choice(
        "slow",
        "some dozens at once",
        "somebody's, and it blocks",
        "Tornado, and a thread pool",
        (4,),
        Figure("clients", FEW, "32 threads", "cpu_us", "{} × the CPU of await"),
    ),
    Choice(
        "slow",
        "hundreds at once",
        "somebody's, on requests",
        "Tornado, and greenlets: trequests",
        (4,),
        Figure("clients", FAR, "trequests sockets", "cpu_us", "{} × the CPU of await"),
    ),
    Choice(
        "slow",
        "hundreds at once",
        "a whole program's, and it blocks",
        "gevent, which patches it before its first line",
        (4,),
        Figure("clients", FAR, "gevent", "cpu_us", "{} × the CPU of await"),
    ),
    Choice(
        "slow, with an async library",
        "many; or they keep a line open, for news",
        "yours",
        "Tornado, and a quick client, such as libcurl",
        (2, 4, 5, 8),
        Figure("clients", FAR, "raw curl", "cpu_us", "{} × the CPU of the simple client"),
    ),
    Choice(
        "none: pages that speak Socket.IO",
        "many, who talk to each other",
        "yours",
        "python-socketio, on what the rest of your code is on",
        (7,),
        Figure(
            "socket_io",
            TALK,
            "Socket.IO on gevent",
            "cpu_us",
            "{} × the CPU of Tornado, on gevent",
        ),
    ),
    Choice(
        "slow, with an async library",
        "so many that the server itself is what costs",
        "yours",
        "aiohttp",
        (1, 2),
        Figure("servers", "hello", "aiohttp", "cpu_us", "{} × the CPU of Tornado"),
    ),
    Choice(
        "slow, with an async library",
        "so many that the server itself is what costs",
        "yours, and it is not to be for one server only: ASGI",
        "Starlette, on uvicorn or another",
        (1,),
        Figure("servers", "hello", "Starlette on uvicorn", "cpu_us", "{} × the CPU of Tornado"),
    ),
)


class Choices:
    """All of them as a table, for those who see it and for those who hear it."""

    def rows(self) -> list[list[str]]:
        """Return the cells."""
        return [choice.cells() for choice in CHOICES]

    def __repr__(self) -> str:
        lines = []
        for backend, waits, code, take, sections, measured in self.rows():
            lines.append(f"{take}")
            lines.append(f"    backend: {backend}; who waits: {waits}; whose code: {code}")
            lines.append(f"    see {sections}: {measured}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        left = ' style="text-align: left"'
        head = "".join(f'<th scope="col"{left}>{words}</th>' for words in COLUMNS)
        body = ""
        for cells in self.rows():
            texts = [html.escape(words) for words in cells]
            texts[3] = f"<strong>{texts[3]}</strong>"
            body += f"<tr>{''.join(f'<td{left}>{words}</td>' for words in texts)}</tr>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def choices() -> Choices:
    """Return what to take, by what the backend is, who waits for it, and whose code it is."""
    return Choices()
