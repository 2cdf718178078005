"""One process that fetches: what a fetch costs it, with each client of HTTP.

    python3 workshop.py bench http_clients [--quick] [--rounds N]

Each client runs as a program of its own, with ten fetches under way at once, and so does the
server, which costs hardly anything and counts. Three groups: `kept`, where each keeps its
connections if it can; `new`, where all open one for each fetch, which the server confirms; and
`large`, ten megabytes each. Tornado's simple client keeps none, so it is the same in all
groups, and what the others are compared with. `pycurl, blocking` is libcurl without a loop, and
one fetch after another: what is left when nothing is around it. In every round all are measured
in turn; ratios are those of a round. niquests runs in an environment of its own, since what it
brings replaces the urllib3 of everybody beside it.

A client is refused if the server may have been what was measured: it was busy for most of the
time, or is not half as fast again when wrk, or a client in Python, asks it. (For ten megabytes
the second is left out: whoever asks copies as much.) With `--quick` it takes about a minute,
and keeps nothing. The table is printed, and written to `benchmarks/results/http_clients.json`.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from classroom.measured import Result
from classroom.measuring.load import load_generator, visit
from classroom.measuring.program import Program, program
from classroom.measuring.rounds import Figures, Measure, Refused, Rounds, Row, in_rounds

from ._http_clients.clients import AT_ONCE, MODES
from ._shared.command import one_or_more, parser
from ._shared.environments import NoEnvironment, environment
from ._shared.paths import BENCHMARKS, ROOT
from ._shared.report import about, keep
from ._shared.variables import few_variables

MINUTES = 3
IN_ALL = ("--rounds=3",)
BASELINE = "simple"
ALONE = "the server alone"
GROUPS = {"kept": "/", "new": "/", "large": "/large"}
# The client that has no connection to keep, and the one that is not in this environment.
KEEPS_NONE, APART = "simple", "niquests"
NEEDS = {"curl": "pycurl", "pycurl, blocking": "pycurl", "aiohttp": "aiohttp", "httpx": "httpx"}
LOCK = BENCHMARKS / "_http_clients" / "niquests.lock"
ROUNDS, QUICK_ROUNDS = 7, 2
SECONDS, QUICK_SECONDS = 1.0, 0.5
PATIENCE = 120.0  # seconds in which a client starts, and ends, on a busy machine
# Above this share of a processor, the server may be what is measured; and when it is not so
# many times as fast alone.
TOO_BUSY, FASTER_ALONE = 0.7, 1.5
# So many times the fetches under way, for the first ones may find no connection that is free.
MOST_KEPT = 2 * AT_ONCE


def pythons() -> tuple[dict[str, Path], dict[str, str]]:
    """Return the Python that runs each client, and why some are left out."""
    there: dict[str, Path] = {}
    left_out = {}
    for mode in MODES:
        if mode == APART:
            try:
                there[mode] = environment(APART, LOCK)
            except NoEnvironment as reason:
                left_out[mode] = str(reason)
        elif mode in NEEDS and not find_spec(NEEDS[mode]):
            left_out[mode] = f"it needs {NEEDS[mode]}, which is not installed"
        else:
            there[mode] = Path(sys.executable)
    return there, left_out


def counted(server: Program) -> dict[str, int]:
    """Return how many connections and answers the server has counted."""
    asking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        asking.request("GET", "/count")
        counts: dict[str, int] = json.load(asking.getresponse())
        return counts
    finally:
        asking.close()


def run(python: Path, mode: str, url: str, group: str, seconds: float) -> dict[str, Any]:
    """Run a client, and return what it has seen.

    Raises:
        Refused: it failed, or did not come to its end.
    """
    command = [str(python), "-m", "benchmarks._http_clients.clients", mode, url]
    command += [f"--seconds={seconds}", *["--new"] * (group == "new")]
    limit = 2 * seconds + PATIENCE
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=few_variables(),
            capture_output=True,
            text=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"it did not come to its end in {limit:g} seconds") from None
    if done.returncode:
        raise Refused((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def fetched(server: Program, group: str, mode: str, python: Path, seconds: float) -> Figures:
    """Measure a client, and see that it did what its group is about.

    Raises:
        Refused: it failed, or it opened other connections than it should, or the server was
            busy for most of the time.
    """
    before, cpu = counted(server), server.cpu()
    seen = run(python, mode, server.url + GROUPS[group], group, seconds)
    cpu, after = server.cpu() - cpu, counted(server)
    judge(
        mode,
        group,
        fetches=seen["in_all"],
        answers=after["answers"] - before["answers"],
        opened=after["connections"] - before["connections"],
        busy=cpu / seen["in_all"] * seen["fetches"] / seen["seconds"],
    )
    return {
        "cpu_us": seen["cpu"] / seen["fetches"] * 1e6,
        "rps": seen["fetches"] / seen["seconds"],
    }


def judge(
    mode: str, group: str, *, fetches: int, answers: int, opened: int, busy: float
) -> None:
    """Refuse what does not say anything of a client.

    Args:
        mode: the client.
        group: what it should do.
        fetches: how many it says it has made.
        answers: how many the server has given.
        opened: on how many connections.
        busy: which share of a processor the server used.

    Raises:
        Refused: it opened other connections than it should, or the server was the bottleneck.
    """
    if answers != fetches:
        raise Refused(f"it counted {fetches} fetches, and the server {answers} answers")
    if group == "new" or mode == KEEPS_NONE:
        if opened != fetches:
            raise Refused(f"it made {fetches} fetches on {opened} connections")
    elif opened > MOST_KEPT:
        raise Refused(f"it opened {opened} connections, and should keep {AT_ONCE}")
    if busy > TOO_BUSY:
        raise Refused(f"the server was busy for {busy:.0%} of the time, and may be slower")


def alone(server: Program, group: str, seconds: float) -> Figures:
    """Measure the server with somebody who costs less than a client."""
    headers = ("Connection: close",) if group == "new" else ()
    cpu = server.cpu()
    seen = visit(
        server.url + GROUPS[group],
        at_once=AT_ONCE,
        seconds=round(seconds + 0.5),
        headers=headers,
        at_least=True,
    )
    return {"cpu_us": (server.cpu() - cpu) / seen.answers * 1e6, "rps": seen.rps}


def refuse_the_fastest(seen: Rounds) -> None:
    """Refuse the clients that were too fast for this server."""
    if ALONE not in seen.figures:
        return
    why = seen.refused.get(ALONE)
    free = [one["rps"] for one in seen.figures[ALONE]]
    for mode, mine in seen.figures.items():
        if mode == ALONE or mode in seen.refused:
            continue
        if why:
            seen.refused[mode] = f"nothing is known of the server alone: {why}"
        elif statistics.median(free) < FASTER_ALONE * statistics.median(
            one["rps"] for one in mine
        ):
            seen.refused[mode] = (
                f"the server alone is not {FASTER_ALONE} times as fast, so it may be slower"
            )


def measure(rounds: int, seconds: float) -> Row:
    """Measure all clients, and return the result."""
    there, left_out = pythons()
    rows: list[Row] = []
    free: list[Row] = []
    with program("classroom.measuring.quick_server", environment=few_variables()) as server:
        for group in GROUPS:
            things: dict[str, Measure] = {
                mode: partial(fetched, server, group, mode, python, seconds)
                for mode, python in there.items()
            }
            if group != "large":
                things[ALONE] = partial(alone, server, group, seconds)
            # Each client warms up by itself, being new.
            seen = in_rounds(things, rounds, name=group, warm_up=False)
            refuse_the_fastest(seen)
            found = seen.rows(BASELINE, group=group)
            rows += [row for row in found if row["mode"] != ALONE]
            free += [row for row in found if row["mode"] == ALONE]
    said = about(
        *("tornado", "pycurl", "aiohttp", "httpx", "requests", "urllib3"),
        niquests=locked_version(),
        libcurl=libcurl(),
        baseline=BASELINE,
        load=load_generator(),
        rounds=rounds,
        at_once=AT_ONCE,
    )
    return {"about": said, "results": rows, "alone": free, "left_out": left_out}


def locked_version() -> str:
    """Return the version of niquests that the lock has."""
    (line,) = [
        one for one in LOCK.read_text("utf-8").splitlines() if one.startswith("niquests==")
    ]
    return line.removeprefix("niquests==").split()[0]


def libcurl() -> str:
    """Return the version of libcurl, or nothing where it is not."""
    if not find_spec("pycurl"):
        return ""
    import pycurl

    return str(pycurl.version_info()[1])


def main() -> None:
    """Measure, print the tables, and write them down."""
    options = parser("http_clients", __doc__)
    options.add_argument(
        "--quick", action="store_true", help="two short rounds, and nothing is kept"
    )
    options.add_argument(
        "--rounds", type=one_or_more, default=None, help="how often all are measured"
    )
    given = options.parse_args()
    rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    result = measure(rounds, QUICK_SECONDS if given.quick else SECONDS)
    for group in GROUPS:
        print(f"\n{group}\n{Result(result).table(group)}")
    if not given.quick:
        keep("http_clients", result)


if __name__ == "__main__":
    main()
