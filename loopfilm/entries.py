"""What a film says: steps, who held the loop, who waited, and what the visitors got."""

from __future__ import annotations

from typing import Any, NamedTuple

# Tornado's client gives this status to a request that got no answer.
NO_ANSWER = 599


class Step(NamedTuple):
    """One step of the loop.

    Attributes:
        lane: what the film calls its lane, or `None` if it has none.
        start: when it began, in seconds since the film began.
        end: when it ended, likewise.
    """

    lane: str | None
    start: float
    end: float


class Hold(NamedTuple):
    """A step that held the loop.

    Attributes:
        lane: whose it was: a lane, "something ada started", or "other work".
        start: when it began, in seconds since the film began.
        seconds: how long it had the thread, without the time in which there was no processor.
        line: where it stood most of the time: the innermost line of your own code, or of a
            library if none of that was there, such as "server.py:12"; empty if nobody saw it.
        call: what stands there, such as "time.sleep(1)".
        deeper: where in a library it was, and what that called, if it was in one.
        caller: the line of your own code with which the step began, if that is in another
            function than `line`.
        clock: how long it lasted by the clock on the wall; on a busy machine more than
            `seconds`.
    """

    lane: str
    start: float
    seconds: float
    line: str = ""
    call: str = ""
    deeper: str = ""
    caller: str = ""
    clock: float = 0.0

    @property
    def within(self) -> str:
        """From which line it got there, and where in a library that went; or nothing."""
        both = [f"from {self.caller}" if self.caller else "", self.deeper]
        words = "; ".join(filter(None, both))
        return f" ({words})" if words else ""

    @property
    def where(self) -> str:
        """The line and the call, such as "server.py:12, time.sleep(1)"."""
        return ", ".join(filter(None, [self.line, self.call]))

    def __str__(self) -> str:
        """Return it in a line."""
        clock = f" ({self.clock:.1f} s by the clock)" if self.clock > 1.2 * self.seconds else ""
        where = self.where or "nobody saw where"
        return (
            f"{self.lane} held the loop for {self.seconds:.1f} s{clock}: {where}{self.within}"
        )


class Wait(NamedTuple):
    """A pause of a lane between two of its steps.

    Attributes:
        lane: whose.
        start: when it began, in seconds since the film began.
        seconds: how long it lasted.
        line: the innermost line of your own code that waited, or of a library; empty if that
            cannot be seen.
        call: what it waited for, such as "asyncio.sleep(1)".
        held: for how many of these seconds others held the loop, so that it could not go on.
    """

    lane: str
    start: float
    seconds: float
    line: str = ""
    call: str = ""
    held: float = 0.0

    @property
    def where(self) -> str:
        """The line, and what it waited for."""
        return ", ".join(filter(None, [self.line, self.call]))


class Answer(NamedTuple):
    """What a visitor got.

    Attributes:
        status: the status of the response; `NO_ANSWER` if there was none.
        body: its text, in the charset that its `Content-Type` names, or else in UTF-8; the
            data if it was JSON; `bytes` if it is no such text, as an image is none. Without a
            response, why there was none.
    """

    status: int
    body: Any
