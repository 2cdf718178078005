"""What a film costs: CPU time of a turn of the event loop, and of a request, with and without.

    python benchmarks/film.py

Each measurement is paired with its plain twin, a fraction of a second apart, and the pairs are
repeated; the ratio of a pair hardly feels what else the machine does. The median is kept, in
`benchmarks/results/film.json`, and printed.
"""

from __future__ import annotations

import asyncio
import json
import platform
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import tornado
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.routing import Router
from tornado.web import Application, RequestHandler

ROOT = Path(__file__).resolve().parents[1]
from loopfilm import (
    film,
    labelled,
)

RESULTS = ROOT / "benchmarks" / "results" / "film.json"
ROUNDS = 41
TURNS = 20_000
REQUESTS = 300

Measurement = Callable[[], Awaitable[float]]


class Hello(RequestHandler):
    """The least that a handler can do."""

    def get(self) -> None:
        """Say hello."""
        self.write("hello")


async def cpu_of_a_turn(recording: AbstractContextManager[object]) -> float:
    """Return the CPU time of an empty turn of the loop, in microseconds."""
    with recording:
        start = time.process_time()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return (time.process_time() - start) / TURNS * 1e6


async def cpu_of_a_request(app: Router, recording: AbstractContextManager[object]) -> float:
    """Return the CPU time of a request on an open connection, in microseconds.

    The client shares the process, and is a bare socket, so that it adds little.
    """
    [sock] = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app)
    server.add_sockets([sock])
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    request = b"GET /?user=ada HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    try:
        with recording:
            start = time.process_time()
            for _ in range(REQUESTS):
                writer.write(request)
                await reader.readuntil(b"\r\n\r\nhello")
            return (time.process_time() - start) / REQUESTS * 1e6
    finally:
        writer.close()
        server.stop()
        await server.close_all_connections()


async def compare(plain: Measurement, other: Measurement) -> dict[str, Any]:
    """Measure two things in turn, and return their medians and the median of their ratios."""
    pairs = []
    for number in range(ROUNDS):
        # The order changes, so that neither always comes second.
        if number % 2:
            without = await plain()
            with_it = await other()
        else:
            with_it = await other()
            without = await plain()
        pairs.append((without, with_it))
    ratios = [with_it / without for without, with_it in pairs]
    low, _, high = statistics.quantiles(ratios)
    return {
        "plain_us": round(statistics.median(without for without, _ in pairs), 2),
        "other_us": round(statistics.median(with_it for _, with_it in pairs), 2),
        "ratio": round(statistics.median(ratios), 2),
        "quartiles": [round(low, 2), round(high, 2)],
    }


async def measure() -> dict[str, dict[str, Any]]:
    """Measure everything, and return it by what was measured."""
    app = Application([("/", Hello)], log_function=lambda _: None)
    apart = labelled(app)
    return {
        "an empty turn of the loop, in a film": await compare(
            lambda: cpu_of_a_turn(nullcontext()), lambda: cpu_of_a_turn(film())
        ),
        "a request, in a film": await compare(
            lambda: cpu_of_a_request(apart, nullcontext()),
            lambda: cpu_of_a_request(apart, film()),
        ),
        "a request, in a lane": await compare(
            lambda: cpu_of_a_request(app, nullcontext()),
            lambda: cpu_of_a_request(apart, nullcontext()),
        ),
    }


def main() -> None:
    """Measure, print the table, and write it down."""
    results = asyncio.run(measure())
    print(f"{'CPU time':38} {'without':>10} {'with':>10} {'ratio':>7}  half of them within")
    for name, row in results.items():
        low, high = row["quartiles"]
        print(
            f"{name:38} {row['plain_us']:7.1f} µs {row['other_us']:7.1f} µs"
            f" {row['ratio']:7.2f}  {low:.2f} to {high:.2f}"
        )
    about = {
        "python": platform.python_version(),
        "tornado": tornado.version,
        "machine": f"{platform.system()} {platform.machine()}",
        "rounds": ROUNDS,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"about": about, "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
