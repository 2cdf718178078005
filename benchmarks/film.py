"""What a film costs: CPU time of a turn of the event loop, and of a request, with and without.

To record is one part of it, and to look where long steps stand is the other. The last row is
that of an application which could be filmed at any time, and is not.

    python3 workshop.py bench film [--quick] [--rounds N]

Each measurement is paired with one of the same without a film, a fraction of a second apart,
and the pairs are repeated: whatever else the machine does slows both down, and hardly changes
their ratio. The median of the ratios is printed, and written to `benchmarks/results/film.json`.
It takes two minutes. With `--quick` there are few pairs, and nothing is kept.
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
from ._shared.command import parser, two_or_more
from ._shared.report import Row, about, keep

MINUTES = 1
IN_ALL = ("--rounds=21",)
ROUNDS, QUICK_ROUNDS = 41, 3
TURNS = 20_000
REQUESTS = 300
WITHOUT, WITH = "without", "with"

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


async def compare(what: str, plain: Measurement, other: Measurement, rounds: int) -> list[Row]:
    """Measure two things in turn, and return a row for each."""
    pairs = []
    for number in range(rounds):
        # The order changes, so that neither always comes second.
        if number % 2:
            one = await plain()
            pairs.append((one, await other()))
        else:
            one = await other()
            pairs.append((await plain(), one))
    plains, others = zip(*pairs, strict=True)
    rows = []
    for mode, values in ((WITHOUT, plains), (WITH, others)):
        ratios = Ratios.of(values, plains)
        figure = {
            "median": round(statistics.median(values), 2),
            "ratio": ratios.median,
            "lowest": ratios.lowest,
            "highest": ratios.highest,
            "quartiles": ratios.quartiles,
        }
        rows.append({"group": what, "mode": mode, "cpu_us": figure})
    return rows


async def measure(rounds: int) -> list[Row]:
    """Measure everything, and return two rows for each thing: without it, and with it."""
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
    compared = {
        "an empty turn of the loop, recorded": (turn(nullcontext), turn(recorded)),
        "an empty turn, recorded and looked at": (turn(recorded), turn(film)),
        "a request, in a lane": (request(app), request(in_lanes)),
        "a request, recorded": (request(app), request(app, recorded)),
        "a request, recorded and looked at": (request(app, recorded), request(app, film)),
        "a request, where films can be made": (request(app), request(with_handler)),
    }
    rows = []
    for what, (plain, other) in compared.items():
        rows += await compare(what, plain, other, rounds)
    return rows


def main() -> None:
    """Measure, print the table, and write it down."""
    options = parser("film", __doc__)
    options.add_argument("--quick", action="store_true", help="few pairs, and keep nothing")
    options.add_argument("--rounds", type=two_or_more, help="how many pairs")
    given = options.parse_args()
    rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    rows = asyncio.run(measure(rounds))
    print(f"{'CPU time':38} {'without':>10} {'with':>10} {'ratio':>7}  half of them within")
    for plain, other in zip(rows[::2], rows[1::2], strict=True):
        low, high = other["cpu_us"]["quartiles"]
        print(
            f"{other['group']:38} {plain['cpu_us']['median']:7.1f} µs"
            f" {other['cpu_us']['median']:7.1f} µs"
            f" {other['cpu_us']['ratio']:7.2f}  {low:.2f} to {high:.2f}"
        )
    if not given.quick:
        said = about("tornado", baseline=WITHOUT, rounds=rounds)
        keep("film", {"about": said, "results": rows})


if __name__ == "__main__":
    main()
