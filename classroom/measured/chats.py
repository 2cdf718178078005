"""What was measured of rooms full of people who talk, or listen."""

from __future__ import annotations

from .kept import read
from .tables import Table


def chat() -> Table:
    """Return what was seen of rooms full of people who talk, in our chat and in others."""
    result = read("chat")
    rows = [
        [
            one["mode"],
            str(one["people"]),
            str(one["messages"]),
            str(one["lost"]),
            "-" if one["cpu_us"] is None else f"{one['cpu_us']:.0f}",
            "-" if one["ratio"] is None else f"{one['ratio']:.2f}",
        ]
        for one in result["results"]
    ]
    about = result["about"]
    note = (
        "Processor time of the server for a delivery; medians of"
        f" {about['rounds']} rounds, {about['machine']}, Python {about['python']}."
    )
    columns = ["", "people", "messages", "lost one", "CPU µs", "× plain"]
    return Table(columns, rows, note)


def idle_chat() -> Table:
    """Return how many bytes of a server's memory somebody takes who only listens."""
    result = read("chat")
    rows = [
        [one["mode"], str(one["people"]), "-" if one["bytes"] is None else str(one["bytes"])]
        for one in result["idle"]
    ]
    about = result["about"]
    note = f"Memory of the server's process, {about['machine']}, Python {about['python']}."
    return Table(["", "people", "bytes each"], rows, note)
