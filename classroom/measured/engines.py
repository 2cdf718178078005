"""What was measured of the ways to make a call upstream, and of the engines of trequests."""

from __future__ import annotations

from typing import Any

from .kept import read
from .tables import Table


def conformance() -> Table:
    """Return how many of requests' own tests pass, as they are and with each engine."""
    rows = [
        [one["engine"], str(one["passed"]), str(one["failed"])]
        for one in read("conformance")["results"]
        if one.get("suite", "requests") == "requests"
    ]
    return Table(["", "passed", "failed"], rows)


def suites() -> Table:
    """Return how many tests of each library pass, as it is and with each engine.

    Where there is "-", they were not run.
    """
    passed = dict[str, dict[str, str]]()
    for one in read("conformance")["results"]:
        passed.setdefault(one["suite"], {})[one["engine"]] = str(one["passed"])
    engines = ["stock", "simple", "curl", "sockets"]
    rows = [[suite, *(of.get(each, "-") for each in engines)] for suite, of in passed.items()]
    return Table(["tests of", *engines], rows)


def clients(modes: list[str], *, latency_ms: int, at_once: int) -> Table:
    """Return what a request costs in a server that makes one call upstream for each.

    Args:
        modes: the ways to make the call.
        latency_ms: milliseconds until the upstream answers.
        at_once: how many visitors there are.

    Raises:
        LookupError: this was not measured.
    """
    result = read("clients")
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
    return float(_row(read("clients")["results"], mode, latency_ms, at_once)["rps"])


def _row(rows: list[Any], mode: str, latency_ms: int, at_once: int) -> Any:
    for row in rows:
        # Another kind of answer or request, such as one with TLS, is told by its name.
        is_usual = "kind" not in row
        place = row["mode"], row["latency_ms"], row["concurrency"]
        if is_usual and place == (mode, latency_ms, at_once):
            return row
    raise LookupError(f"{mode} at {latency_ms} ms with {at_once} at once was not measured")
