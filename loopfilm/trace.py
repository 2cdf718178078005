"""Write a film in the format of traces that Perfetto and the browser Chromium open.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU describes it:
complete events ("X"), with times in microseconds, each in a row ("thread") whose name and place
are said by metadata events ("M").
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .entries import Hold, Step, Wait

NS = 1e9  # nanoseconds in a second
OTHER = "other work"


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
    rows: dict[str | None, int] = {lane: number for number, lane in enumerate(lanes, 1)}
    events: list[dict[str, Any]] = []

    def event(row: str | None, name: str, start: float, end: float, **args: str) -> None:
        number = rows.setdefault(row, len(rows) + 1)
        # In whole nanoseconds, or what follows could seem to begin before this has ended.
        began, ended = round(start * NS), round(end * NS)
        times = {"ts": began / 1000, "dur": (ended - began) / 1000}
        told = {key: value for key, value in args.items() if value}
        events.append({"name": name, "ph": "X", "pid": 1, "tid": number, **times, "args": told})

    held = {hold.start: hold for hold in holds}
    for step in steps:
        if hold := held.get(step.start):
            more = {"who": hold.lane, "line": hold.line, "call": hold.call}
            more["deeper"] = hold.deeper
            event(step.lane, "held the loop", step.start, step.end, **more)
        else:
            event(step.lane, "has the thread", step.start, step.end)
    for wait in waits:
        end = wait.start + wait.seconds
        event(wait.lane, "waits", wait.start, end, line=wait.line, call=wait.call)
    facts: list[dict[str, Any]] = [_fact("process_name", 0, {"name": "event loop"})]
    for row, number in rows.items():
        facts.append(_fact("thread_name", number, {"name": OTHER if row is None else row}))
        # By default they would be in the order of their names.
        facts.append(_fact("thread_sort_index", number, {"sort_index": number}))
    return json.dumps({"traceEvents": facts + events, "displayTimeUnit": "ms"})


def _fact(name: str, row: int, args: dict[str, object]) -> dict[str, Any]:
    return {"name": name, "ph": "M", "pid": 1, "tid": row, "args": args}
