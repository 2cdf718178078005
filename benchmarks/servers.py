"""Tornado and its peers: what an answer costs, and how many there are in a second.

    python3 workshop.py bench servers [--quick] [--rounds N] [--seconds N] [--only PEER ...]

Each server is one process (Granian: a worker, and who started it), and is asked for three
things. *hello* is as little as a server can do. *report* is the same with a handler that
works: it reads, sorts and writes a list. For *resource* it asks a backend that takes 20 ms,
and answers what that said. Then the client is most of what is measured, so some servers stand
there with two.

The load is wrk's, where that is installed: 50 visitors, and 200 for the resource, each with
one connection. Server, load and upstream share the processors of the machine. `cpu_us` is the
processor time that the server took for an answer, with all of its processes, and hardly
depends on that; `rps` and the waits do, most of all with fewer processors than programs. So
CPU is what is quoted.

In every round all are measured in turn; ratios are those to Tornado in the same round. Whoever
answers something else is refused, and so is a row where the load or the upstream was the
bottleneck: where the upstream was busy most of the time, or where it answers hardly more when
it is asked directly, which is measured in the same rounds. Who gives each visitor hardly an
answer is asked for longer, since what was begun and not ended is in the processor time, and in
no answer. `--quick` is one round, without a
warm-up, and keeps nothing. The table is printed, and written to
`benchmarks/results/servers.json`.
"""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack

from classroom.measuring.load import load_generator
from classroom.measuring.program import NotStarted, Program, program
from classroom.measuring.rounds import Rounds, in_rounds
from stormy_demo.peers import upstream as upstream_program
from tools.machine import allow_open_files

from ._servers.peers import ALONE, BASELINE, GROUPS, PACKAGE, PEERS, version_of_node
from ._servers.visiting import measure_alone, measure_of, refuse_what_the_upstream_held
from ._shared.command import one_or_more, parser
from ._shared.report import Row, about, keep
from ._shared.variables import few_variables

MINUTES = 4
IN_ALL = ("--rounds=3",)
DELAY_MS = 20
ASKS = "resource"
PACKAGES = (
    *("tornado", "uvloop", "starlette", "uvicorn", "httptools", "h11", "granian", "aiohttp"),
    *("gevent", "flask", "waitress", "requests", "httpx", "pycurl"),
)


def measure(
    peers: list[str], rounds: int, quick: bool, left_out: dict[str, str], seconds: int = 0
) -> dict[str, Rounds]:
    """Start the servers, and measure them, group by group.

    Args:
        peers: which of them.
        rounds: how often.
        quick: once, for a second, and no warm-up.
        left_out: takes who could not start, and why.
        seconds: for how long each is asked in a round; 0 is as long as its group says.
    """
    found = {}
    with ExitStack() as stack:
        upstream = stack.enter_context(
            program(
                f"{PACKAGE}.upstream",
                *("--port=0", f"--delay={DELAY_MS}", "--end-with-stdin"),
                environment=few_variables(),
            )
        )
        servers: dict[str, Program] = {}
        for name in peers:
            try:
                servers[name] = stack.enter_context(PEERS[name].start(upstream.url))
            except NotStarted as reason:
                left_out[name] = str(reason)
                print(f"{name} is left out: {reason}", file=sys.stderr)
        for title, group in GROUPS.items():
            lasts = seconds or (1 if quick else group.seconds)
            asked = upstream if title == ASKS else None
            things = {
                name: measure_of(server, group, lasts, asked)
                for name, server in servers.items()
                if title in PEERS[name].groups
            }
            if asked:
                body = upstream_program.BODY
                things[ALONE] = measure_alone(upstream, group, lasts, body)
            found[title] = in_rounds(things, rounds, name=title, warm_up=not quick)
            if asked:
                refuse_what_the_upstream_held(found[title], ALONE)
    return found


def show(rows: list[Row]) -> None:
    """Print the table."""
    group = None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            print(
                f"\n{group:39} {'CPU µs':>7} {'×':>6}  {'all within':14}"
                f" {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'upstream':>8}"
            )
        if "refused" in row:
            print(f"{row['mode']:39} refused: {row['refused']}")
            continue
        cpu, asked = row["cpu_us"], row.get("upstream_percent")
        busy = f"{asked['median']:.0f}%" if asked else "-"
        spread = f"{cpu['lowest']:.2f} to {cpu['highest']:.2f}" if "ratio" in cpu else "-"
        print(
            f"{row['mode']:39} {cpu['median']:7.0f} {cpu.get('ratio', float('nan')):6.2f}"
            f"  {spread:14} {row['rps']['median']:10.0f} {row['p50_ms']['median']:8.1f}"
            f" {row['p99_ms']['median']:8.1f} {busy:>8}"
        )


def main() -> None:
    """Measure, print the table, and write it down."""
    options = parser("servers", __doc__)
    options.add_argument("--quick", action="store_true", help="one round, and keep nothing")
    options.add_argument("--rounds", type=one_or_more, help="how often all are measured; 7")
    options.add_argument(
        "--seconds",
        type=one_or_more,
        default=0,
        help="how long each is asked in a round; more where others keep the machine busy",
    )
    options.add_argument("--only", nargs="+", choices=PEERS, default=[], metavar="PEER")
    given = options.parse_args()
    # An exit ends the servers too, and SIGTERM by itself would not.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    allow_open_files()
    rounds = given.rounds or (1 if given.quick else 7)
    peers = [name for name in PEERS if not given.only or name in (*given.only, BASELINE)]
    left_out: dict[str, str] = {}
    found = measure(peers, rounds, given.quick, left_out, given.seconds)
    rows = [row for title, seen in found.items() for row in seen.rows(BASELINE, group=title)]
    for row in rows:
        # It is a check, and compared with nothing.
        if busy := row.get("upstream_percent"):
            row["upstream_percent"] = {"median": busy["median"]}
    show(rows)
    if given.quick or given.only:
        print("\nNothing of this is kept.", file=sys.stderr)
        return
    said = about(
        *PACKAGES,
        node=version_of_node(),
        baseline=BASELINE,
        load=load_generator(),
        rounds=rounds,
        seconds={title: given.seconds or group.seconds for title, group in GROUPS.items()},
        upstream_ms=DELAY_MS,
        at_once={title: group.at_once for title, group in GROUPS.items()},
        peers={name: PEERS[name].about for name in peers if name not in left_out},
    )
    keep("servers", {"about": said, "left_out": left_out, "results": rows})


if __name__ == "__main__":
    main()
