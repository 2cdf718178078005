"""One upstream call for each served request: what it costs, in every way to make the call.

    python3 workshop.py bench clients [--quick] [--rounds N] [--main] [--only MODE ...]

Each mode is a way to make the call, and its server runs as a program of its own: it asks an
upstream, and gives its visitors the answer. Upstream and visitors are in this process. In every
round all modes are measured in turn, in another order each time; ratios are those of a round,
and what is kept is their median. The table is printed, and written to
`benchmarks/results/clients.json`, where rows that were not measured this time stay as they are.

Besides a short answer, with all modes, an upstream's answers of 20 kB and 1 MB, TLS, and
`requests.get()` without a session are measured with a few: 50 ms away, 200 at once.

All of it takes some 45 minutes. `--main` measures 200 visitors at once with an upstream that
takes 50 ms, and nothing else. `--quick` measures the same in two rounds, and keeps nothing.
"""

from __future__ import annotations

import json
import ssl
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import trustme

from classroom.measuring.program import NotStarted, Program, program
from tools.machine import allow_open_files

from ._clients.figures import (
    ALONE,
    BASELINE,
    OURS,
    USUAL,
    Cell,
    Measured,
    Rounds,
    comparisons_of,
    rows_of,
)
from ._clients.kinds import KINDS, SOME
from ._clients.servers import MODES
from ._clients.world import World, WrongAnswer
from ._shared import LOCALHOST
from ._shared.command import end_when_told, one_or_more, parser
from ._shared.report import Row, about, keep, result_file
from ._shared.variables import few_variables

MINUTES = 2
IN_ALL = ("--main", "--rounds=4")
DELAYS = (0, 5, 50)  # ms
CROWDS = (1, 50, 200, 1000)
# What is measured where there is no time for all.
MAIN = (50, 200)
NAMED = {kind.name: kind for kind in KINDS}
SECONDS, MAIN_SECONDS = 1.0, 1.8
ROUNDS, QUICK_ROUNDS = 5, 2
# Above this share of a processor, what is around the server may be what is measured.
TOO_BUSY = 0.8
PACKAGES = ("tornado", "requests", "urllib3", "pycurl", "gevent", "aiohttp", "httpx")


def measure(
    world: World,
    servers: dict[tuple[str, str], Program],
    cells: list[Cell],
    rounds: int,
    seconds: float,
) -> Rounds:
    """Measure all modes, and the world alone: its visitors then ask the upstream itself."""
    measured: Rounds = {}
    for cell in cells:
        kind = NAMED[cell[2]]
        started = [mode for program, mode in servers if program == kind.program]
        measured[cell] = {mode: [] for mode in (*kind.modes(started), ALONE)}
    start = time.monotonic()
    for turn in range(rounds * len(cells)):
        round_, cell = turn // len(cells), cells[turn % len(cells)]
        delay, at_once, name = cell
        kind = NAMED[name]
        modes = list(measured[cell])
        first = round_ * len(modes) // rounds
        for mode in modes[first:] + modes[:first]:
            server = servers.get((kind.program, mode))
            port, cpu = (server.port, server.cpu) if server else (world.port, time.process_time)
            # The visitors know short answers only.
            world.size = kind.size if server else 0
            try:
                visit = world.visit(port, delay / 1e3, at_once, seconds * kind.longer, cpu)
                one = Measured.of(visit, server.memory() if server else None)
            except WrongAnswer as error:
                one = Measured(error=str(error))
            measured[cell][mode].append(one)
        left = (time.monotonic() - start) / (turn + 1) * (rounds * len(cells) - turn - 1)
        print(
            f"round {round_ + 1} of {rounds}: {delay} ms, {at_once} at once, {name};"
            f" {left / 60:.0f} minutes left",
            file=sys.stderr,
            flush=True,
        )
    return measured


def cells_for(main: bool, modes: int) -> tuple[list[Cell], str]:
    """Return what to measure, and what is left out since it takes too many descriptors."""
    # On Windows the limit is that of select().
    most = 500 if sys.platform == "win32" else allow_open_files()
    # The largest crowds come last, since servers keep the memory that these needed.
    cells = [(*MAIN, USUAL)]
    if not main:
        cells = [(delay, crowd, USUAL) for crowd in CROWDS for delay in DELAYS]
        cells += [(*MAIN, kind.name) for kind in KINDS if kind.name != USUAL]
        cells.sort(key=lambda cell: cell[1])
    # This process has the upstream's end of each connection that a server keeps, and the
    # visitors.
    besides = 100 if main else 100 + MAIN[1] * len(SOME) * 2
    fit = [cell for cell in cells if cell[1] * (modes + 1) + besides <= most]
    if fit == cells:
        return cells, ""
    least = min(cell[1] for cell in cells if cell not in fit)
    return fit, f"{least} at once and more: a process may open {most} descriptors only"


def described(rounds: int, main_only: bool, rows: list[Row], left_out: dict[str, str]) -> Row:
    """Return what was measured, with what, and how the upstream was checked."""
    return about(
        *PACKAGES,
        # requests reads all of them for each call, in case one of them names a proxy.
        environment_variables=len(few_variables()),
        rounds=rounds,
        main_only=main_only,
        left_out=left_out,
        beside=BASELINE,
        pictured=[f"{MAIN[0]} ms away, {MAIN[1]} at once"],
        waits="p50_ms and p99_ms are null where, in any round, more than one visitor in a "
        "hundred had not had a first answer when counting began.",
        upstream="The upstream and the visitors are one process. `world_busy` is its share "
        "of a processor, the highest of all rounds; `alone` says how many requests a second it "
        "makes, and what each costs it, when the visitors ask the upstream itself.",
        world_busy=max((row["world_busy"] for row in rows), default=None),
    )


def merged(result: Row) -> Row:
    """Add to a result the rows of the one that is kept which were not measured again."""
    file = result_file("clients")
    earlier: Row = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    measured = len(result["results"])
    for part in ("results", "alone"):
        rows = {_place(row): row for row in [*earlier.get(part, []), *result[part]]}
        result[part] = [row for _, row in sorted(rows.items(), key=_order)]
    old = [*earlier.get("comparisons", []), *result["comparisons"]]
    result["comparisons"] = list(
        {(one["of"], one["beside"], one.get("kind")): one for one in old}.values()
    )
    if stay := len(result["results"]) - measured:
        result["about"]["replaced"] = (
            f"This run measured {measured} of the rows; {stay} are of an earlier one."
        )
        result["about"]["earlier"] = earlier["about"].get("earlier", earlier["about"])
    return result


def _place(row: Row) -> tuple[str, int, int, str]:
    kind = row.get("kind", USUAL)
    return kind, row["latency_ms"], row["concurrency"], row["mode"]


def _order(item: tuple[tuple[str, int, int, str], Row]) -> tuple[int, int, int, int]:
    kind, delay, at_once, mode = item[0]
    number = list(NAMED).index(kind) if kind in NAMED else len(NAMED)
    return number, delay, at_once, MODES.index(mode) if mode in MODES else len(MODES)


def show(rows: list[Row], alone: list[Row], comparisons: list[Row]) -> None:
    """Print the table."""
    cell = None
    for row in rows:
        if cell != _place(row)[:3]:
            cell = _place(row)[:3]
            (free,) = [one for one in alone if _place(one)[:3] == cell]
            print(
                f"\nan upstream that takes {cell[1]} ms, {cell[2]} at once, {cell[0]};"
                f" the world alone makes {free['rps']:.0f} requests/s,"
                f" for {free['cpu_us']:.0f} µs each\n"
                f"{'mode':18} {'CPU µs':>7} {'× raw':>6}  {'all within':14}"
                f" {'requests/s':>10} {'× raw':>6}  {'all within':14}"
                f" {'p50 ms':>8} {'p99 ms':>8} {'MB':>6} {'world':>6}"
            )
        print(
            f"{row['mode']:18} {_cut(row['cpu_us'], 7)} {_spread(row, 'cpu_ratio')}"
            f" {_cut(row['rps'], 10)} {_spread(row, 'rps_ratio')}"
            f" {_cut(row['p50_ms'], 8, 1)} {_cut(row['p99_ms'], 8, 1)}"
            f" {_cut(row['rss_mb'], 6)} {row['world_busy']:6.0%}"
        )
    if comparisons:
        print(f"\n{OURS}, an upstream that takes {MAIN[0]} ms, {MAIN[1]} at once")
    for one in comparisons:
        what = "CPU a request" if one["of"] == "cpu" else "requests/s"
        kind = one.get("kind", USUAL)
        print(f"{kind:14} {what:14} × {one['beside']:18} {_spread(one, 'ratio')}")


def _cut(value: float | None, width: int, digits: int = 0) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"


def _spread(row: Row, name: str) -> str:
    if row[name] is None:
        return f"{'-':>6}  {'':14}"
    return f"{row[name]:6.2f}  {row[f'{name}_lowest']:.2f} to {row[f'{name}_highest']:<6.2f}"


def run(modes: list[str], cells: list[Cell], rounds: int, seconds: float) -> tuple[Rounds, Row]:
    """Start the servers, measure them, and return the figures, and which could not start."""
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        authority, tls = _certified(Path(folder))
        world = World(tls=tls)
        servers = {}
        kinds = {NAMED[name].program: NAMED[name] for _, _, name in cells}
        for kind in kinds.values():
            options = [f"--upstream=http://{LOCALHOST}:{world.port}/"]
            if kind.tls:
                upstream = f"https://{LOCALHOST}:{world.tls_port}/"
                options = [f"--upstream={upstream}", f"--ca={authority}"]
            options += ["--each"] if kind.each else []
            for mode in kind.modes(modes):
                server = program(
                    "benchmarks._clients.servers",
                    mode,
                    *options,
                    "--end-with-stdin",
                    environment=few_variables(),
                )
                try:
                    servers[kind.program, mode] = stack.enter_context(server)
                except NotStarted as reason:
                    left_out[mode] = reason.said or f"{mode} did not start"
                    print(left_out[mode], file=sys.stderr)
        return measure(world, servers, cells, rounds, seconds), left_out


def _certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the file of an authority, and a context with a certificate of it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOCALHOST).configure_cert(context)
    return folder / "ca.pem", context


def main() -> None:
    """Measure, print the table, and write it down."""
    options = parser("clients", __doc__)
    options.add_argument(
        "--quick", action="store_true", help="--main in two rounds, and keep nothing"
    )
    options.add_argument("--rounds", type=one_or_more, help="how often all are measured")
    options.add_argument("--main", action="store_true", help="50 ms, 200 at once, and no other")
    options.add_argument("--only", nargs="+", choices=MODES, default=[], metavar="MODE")
    given = options.parse_args()
    end_when_told()
    modes = [mode for mode in MODES if not given.only or mode in (*given.only, BASELINE)]
    main_only = given.main or given.quick
    cells, why = cells_for(main_only, len(modes))
    rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    try:
        measured, left_out = run(modes, cells, rounds, MAIN_SECONDS if main_only else SECONDS)
    except WrongAnswer as error:
        sys.exit(f"clients: {error}")
    if why:
        print(why, file=sys.stderr)
        left_out["crowds"] = why
    rows, alone = rows_of(measured)
    comparisons = [
        one for name in NAMED for one in comparisons_of(measured.get((*MAIN, name), {}), name)
    ]
    show(rows, alone, comparisons)
    said = described(rounds, main_only, rows, left_out)
    result = {"about": said, "results": rows, "alone": alone, "comparisons": comparisons}
    if not given.quick:
        # Rows of an earlier run are not compared with themselves.
        keep("clients", merged({**result}), measured=result)
    for row in rows:
        if row["world_busy"] > TOO_BUSY:
            print(f"{_place(row)}: what is around the server was busy too", file=sys.stderr)
        for what in row["errors"]:
            print(f"{_place(row)}: {what}", file=sys.stderr)
    if any(row["errors"] for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
