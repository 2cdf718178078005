"""Write a film in the format of traces that Perfetto and the browser Chromium open.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU describes it:
events of the type "X", in microseconds, each in a row ("thread") with a name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .entries import Hold, Step, Wait

US = 1e6  # microseconds in a second


def trace(
    lanes: Iterable[str], steps: Iterable[Step], holds: Iterable[Hold], waits: Iterable[Wait]
) -> str:
    """Return all steps and pauses of a film, as JSON.

    Args:
        lanes: the lanes, in the order of their rows.
        steps: all steps.
        holds: those that held the loop.
        waits: the pauses that lasted.

    Returns:
        The text of a file, to be opened at ui.perfetto.dev or chrome://tracing.
    """
    rows: dict[str, int] = {}
    events: list[dict[str, Any]] = []

    def event(row: str, name: str, start: float, seconds: float, **args: str) -> None:
        number = rows.setdefault(row, len(rows) + 1)
        times = {"ts": round(start * US, 3), "dur": round(seconds * US, 3)}
        events.append({"name": name, "ph": "X", "pid": 1, "tid": number, **times, "args": args})

    for lane in lanes:
        rows[lane] = len(rows) + 1
    where = {hold.start: hold for hold in holds}
    for step in steps:
        hold = where.get(step.start)
        name = "held the loop" if hold else "has the thread"
        more = {"line": hold.line, "call": hold.call, "deeper": hold.deeper} if hold else {}
        event(step.lane or "other work", name, step.start, step.end - step.start, **more)
    for wait in waits:
        event(wait.lane, "waits", wait.start, wait.seconds, line=wait.line, call=wait.call)
    names = [
        {"name": "thread_name", "ph": "M", "pid": 1, "tid": number, "args": {"name": row}}
        for row, number in rows.items()
    ]
    return json.dumps({"traceEvents": names + events, "displayTimeUnit": "ms"})
