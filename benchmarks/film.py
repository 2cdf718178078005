"""What a film costs: CPU time of a turn of the event loop, and of a request, with and without.

To record is one part of it, and to look where long steps stand is the other. The last row is
that of an application which could be filmed at any time, and is not.

    python3 workshop.py bench film

Each measurement is paired with one of the same without a film, a fraction of a second apart,
and the pairs are repeated: whatever else the machine does slows both down, and hardly changes
their ratio. The median of the ratios is printed, and written to `benchmarks/results/film.json`.
It takes two minutes.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.routing import Router
from tornado.web import Application, RequestHandler

from classroom.measuring.ratios import Ratios
from loopfilm import film, handler, labelled

from ._shared import LOCALHOST
from ._shared.command import parser
from ._shared.report import Row, about, keep

ROUNDS = 41
TURNS = 20_000
REQUESTS = 300

Measurement = Callable[[], Awaitable[float]]
Recording = Callable[[], AbstractContextManager[object]]


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
    [sock] = bind_sockets(0, LOCALHOST)
    server = HTTPServer(app)
    server.add_sockets([sock])
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    request = f"GET /?user=ada HTTP/1.1\r\nHost: {LOCALHOST}\r\n\r\n".encode()
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


async def compare(plain: Measurement, other: Measurement) -> Row:
    """Measure two things in turn, and return their medians and the median of their ratios."""
    pairs = []
    for number in range(ROUNDS):
        # The order changes, so that neither always comes second.
        if number % 2:
            one = await plain()
            pairs.append((one, await other()))
        else:
            one = await other()
            pairs.append((await plain(), one))
    plains, others = zip(*pairs, strict=True)
    ratios = Ratios.of(others, plains)
    return {
        "plain_us": round(statistics.median(plains), 2),
        "other_us": round(statistics.median(others), 2),
        "ratio": ratios.median,
        "quartiles": ratios.quartiles,
    }


async def measure() -> dict[str, Row]:
    """Measure everything, and return it by what was measured."""
    app = Application([("/", Hello)], log_function=lambda _: None)
    # Each request has a lane of its own.
    in_lanes = labelled(app)
    # Before the other, so that it is compared with the address of each request.
    with_handler = Application([handler(), ("/", Hello)], log_function=lambda _: None)

    def turn(recording: Recording) -> Measurement:
        return lambda: cpu_of_a_turn(recording())

    def request(app: Router, recording: Recording = nullcontext) -> Measurement:
        return lambda: cpu_of_a_request(app, recording())

    recorded = partial(film, where=False)
    return {
        "an empty turn of the loop, recorded": await compare(turn(nullcontext), turn(recorded)),
        "an empty turn, recorded and looked at": await compare(turn(recorded), turn(film)),
        "a request, in a lane": await compare(request(app), request(in_lanes)),
        "a request, recorded": await compare(request(app), request(app, recorded)),
        "a request, recorded and looked at": await compare(
            request(app, recorded), request(app, film)
        ),
        "a request, where films can be made": await compare(
            request(app), request(with_handler)
        ),
    }


def main() -> None:
    """Measure, print the table, and write it down."""
    parser("film", __doc__).parse_args()
    results = asyncio.run(measure())
    print(f"{'CPU time':38} {'without':>10} {'with':>10} {'ratio':>7}  half of them within")
    for name, row in results.items():
        low, high = row["quartiles"]
        print(
            f"{name:38} {row['plain_us']:7.1f} µs {row['other_us']:7.1f} µs"
            f" {row['ratio']:7.2f}  {low:.2f} to {high:.2f}"
        )
    keep("film", {"about": about("tornado", rounds=ROUNDS), "results": results})


if __name__ == "__main__":
    main()
