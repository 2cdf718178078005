"""What was measured, as tables for the notebooks; the numbers are those of `benchmarks/`."""

from __future__ import annotations

import html
import json
from typing import Any

from .paths import RESULTS


class Table:
    """A table of figures, as text and as HTML.

    Args:
        columns: the headings.
        rows: a list of cells for each row.
        note: what to know about where the figures come from.
    """

    def __init__(self, columns: list[str], rows: list[list[str]], note: str = "") -> None:
        self.columns = columns
        self.rows = rows
        self.note = note

    def __getitem__(self, place: tuple[str, str]) -> int:
        """Return the whole number in a row, by its first cell, and a column, by its heading."""
        (row,) = [cells for cells in self.rows if cells[0] == place[0]]
        return int(row[self.columns.index(place[1])])

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[n]) for line in lines) for n in range(len(self.columns))]
        text = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
        return "\n".join([*text, self.note] if self.note else text)

    def _repr_html_(self) -> str:
        # With `scope` a screen reader says a cell's headings; an empty heading gets none, since
        # it would be announced as well.
        top = "".join(_cell(words, "col") for words in self.columns)
        rows = ["".join([_cell(row[0], "row"), *map(_cell, row[1:])]) for row in self.rows]
        head = f"<thead><tr>{top}</tr></thead>"
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table>{head}<tbody>{body}</tbody></table><p>{html.escape(self.note)}</p>"


def _cell(words: str, scope: str = "") -> str:
    tag, attribute = ("th", f' scope="{scope}"') if scope and words else ("td", "")
    return f"<{tag}{attribute}>{html.escape(words)}</{tag}>"


def _aligned(cells: list[str], widths: list[int]) -> list[str]:
    first, *rest = zip(cells, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]


def conformance() -> Table:
    """Return how many of requests' own tests pass, as they are and with each engine."""
    result = _result("conformance")
    rows = [
        [one["engine"], str(one["passed"]), str(one["failed"])]
        for one in result["results"]
        if one.get("suite", "requests") == "requests"
    ]
    return Table(["", "passed", "failed"], rows)


def clients(modes: list[str], *, latency_ms: int, at_once: int) -> Table:
    """Return what a request costs in a server that makes one call upstream for each.

    Args:
        modes: the ways to make the call.
        latency_ms: milliseconds until the upstream answers.
        at_once: how many visitors there are.

    Raises:
        LookupError: this was not measured.
    """
    result = _result("clients")
    rows = []
    for mode in modes:
        row = _row(result["results"], mode, latency_ms, at_once)
        rows.append(
            [
                mode,
                f"{row['cpu_us']:.0f}",
                f"{row['cpu_ratio']:.2f}",
                f"{row['rps']:.0f}",
                "-" if row["p99_ms"] is None else f"{row['p99_ms']:.0f}",
                f"{row['rss_mb']:.0f}",
            ]
        )
    about = result["about"]
    note = f"Medians of {about['rounds']} rounds, {about['machine']}, Python {about['python']}."
    return Table(["", "CPU µs", "× raw simple", "requests/s", "p99 ms", "MB"], rows, note)


def rps(mode: str, *, latency_ms: int, at_once: int) -> float:
    """Return how many requests a second a way to make the call answers, see `clients`.

    Raises:
        LookupError: this was not measured.
    """
    result = _result("clients")
    return float(_row(result["results"], mode, latency_ms, at_once)["rps"])


def chat() -> Table:
    """Return what was seen of rooms full of people who talk, in our chat and in others."""
    result = _result("chat")
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
    result = _result("chat")
    rows = [
        [one["mode"], str(one["people"]), "-" if one["bytes"] is None else str(one["bytes"])]
        for one in result["idle"]
    ]
    about = result["about"]
    note = f"Memory of the server's process, {about['machine']}, Python {about['python']}."
    return Table(["", "people", "bytes each"], rows, note)


def _result(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def _row(rows: list[Any], mode: str, latency_ms: int, at_once: int) -> Any:
    for row in rows:
        if (row["mode"], row["latency_ms"], row["concurrency"]) == (mode, latency_ms, at_once):
            return row
    raise LookupError(f"{mode} at {latency_ms} ms with {at_once} at once was not measured")
