"""Tornado on several Pythons: processor time an answer, beside the CPython that runs the kit.

    python3 workshop.py bench pythons [--quick] [--rounds N] [--python COMMAND]

CPython 3.11 to 3.15 and PyPy, as far as this machine has them (see `_pythons/finding.py`; one
that is elsewhere can be given by its command). The server is one small module on nothing but
Tornado, always the same one; eight visitors ask it from a process of their own.

- `start`: until the server listens.
- `hello, the first 500`: the first answers of a new process.
- `hello`, `loop`, `recursion`, `page`: a handler that does hardly anything, one with a tight
  loop, one that calls itself, one that fills a template; each after thousands of answers, in a
  process that has had time for what its compiler can do.
- `memory`: of the process, after all that.

New processes are started in every round. For the rest each Python has one process, which lives
from round to round. PyPy speaks an older Python than the kit's, so it gets the newest Tornado
of that; `older Tornado` is the kit's Python with the same one. `with its JIT` is the newest
CPython that was built with a compiler, which is switched on by PYTHON_JIT=1.

With `--quick` there is one round, nobody gets warm, and nothing is kept. The tables are
printed, and written to `benchmarks/results/pythons.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from classroom.measured import Result
from classroom.measuring.load import visit
from classroom.measuring.program import NotStarted, Program, command
from classroom.measuring.rounds import Figures, Measure, Refused, Rounds, Row, in_rounds, say

from ._pythons import packages
from ._pythons.finding import (
    Command,
    NoPython,
    Python,
    bare_environment,
    command_of,
    find,
    not_found,
)
from ._pythons.packages import HERE, Tornado
from ._shared.command import one_or_more, parser
from ._shared.environments import NoEnvironment
from ._shared.report import about, keep

MINUTES = 3
IN_ALL = ("--rounds=2",)
AT_ONCE = 8
PATIENCE = 600  # seconds; a busy machine takes so long for what PyPy needs to get warm
NEWEST_NEEDS = (3, 11)
# In the order of the result.
FIRST_ANSWERS = 500
START, FIRST, MEMORY = "start", f"hello, the first {FIRST_ANSWERS}", "memory"
HANDLERS = ("hello", "loop", "recursion", "page")
GROUPS = (START, FIRST, *HANDLERS, MEMORY)
PICTURED = (FIRST, *HANDLERS)


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        warm: after how many answers of a handler it counts as warm.
        compiled: the same for a Python that has a compiler.
        counted: how many are measured then.
    """

    warm: dict[str, int]
    compiled: dict[str, int]
    counted: dict[str, int]


# What adapts itself without a compiler has done so after some dozens of answers. PyPy goes on
# compiling for tens of thousands, since hello runs through so much of Tornado.
WHOLE = Size(
    warm={"hello": 2_000, "loop": 100, "recursion": 100, "page": 200},
    compiled={"hello": 30_000, "loop": 300, "recursion": 1_000, "page": 2_000},
    counted={"hello": 1_000, "loop": 120, "recursion": 250, "page": 250},
)
FEW = dict.fromkeys(HANDLERS, 50)
QUICK = Size(warm=FEW, compiled=FEW, counted=FEW)


@dataclass(frozen=True)
class Contender:
    """A Python with the Tornado that it gets."""

    python: Python
    tornado: Tornado

    @property
    def said(self) -> str:
        """Return its versions, for the result."""
        return f"Python {self.python.version}, Tornado {self.tornado.version}"

    @contextmanager
    def serving(self) -> Iterator[Program]:
        """Run the server on it, as a program.

        Raises:
            Refused: it does not start.
        """
        environment = bare_environment(
            PYTHONPATH=self.tornado.folder, **self.python.environment
        )
        words = [*self.python.command, "-s", str(HERE / "server.py")]
        try:
            with command(*words, name="the server", environment=environment) as server:
                yield server
        except NotStarted as error:
            raise Refused(f"the server does not start: {error}") from None


def contenders(given: list[Command]) -> tuple[dict[str, Contender], dict[str, str]]:
    """Return what is compared, by name and the baseline first, and why some are left out.

    Args:
        given: commands of Pythons that are elsewhere.

    Raises:
        NoPython: one of these is no Python that could be measured.
        NoEnvironment: the Tornado of the kit cannot be had.
    """
    pythons = find(given)
    left_out, there = not_found(pythons), {}
    newest = packages.newest()
    try:
        older = packages.older()
    except NoEnvironment as reason:
        older, why = None, str(reason)
    for python in pythons:
        tornado = newest if python.minor >= NEWEST_NEEDS else older
        if tornado:
            there[python.name] = Contender(python, tornado)
        else:
            left_out[python.name] = why
        if python is pythons[0]:
            control = replace(python, name=f"{python.name}, older Tornado")
            if older:
                there[control.name] = Contender(control, older)
            else:
                left_out[control.name] = why
    return there, left_out


def cost(server: Program, handler: str, answers: int) -> float:
    """Let a handler answer, and return what an answer costs the server, in microseconds.

    Raises:
        Refused: an answer was no 200, those who asked were the bottleneck, or it took too long.
    """
    before = server.cpu()
    seen = visit(f"{server.url}/{handler}", at_once=AT_ONCE, seconds=PATIENCE, answers=answers)
    if seen.answers < answers:
        raise Refused(f"it gave {seen.answers} of {answers} answers in {PATIENCE} seconds")
    return (server.cpu() - before) / seen.answers * 1e6


def cold(contender: Contender) -> Figures:
    """Start a server, and let it give its first answers."""
    with contender.serving() as server:
        start = server.cpu() * 1e3
        first = cost(server, "hello", FIRST_ANSWERS)
    return {f"{START}/cpu_ms": start, f"{FIRST}/cpu_us": first}


def get_warm(server: Program, size: Size, *, compiles: bool) -> None:
    """Let each handler answer until what can be compiled is compiled."""
    for handler, answers in (size.compiled if compiles else size.warm).items():
        cost(server, handler, answers)


def warm(server: Program, size: Size) -> Figures:
    """Let each handler of a warm server answer."""
    figures = {
        f"{handler}/cpu_us": cost(server, handler, answers)
        for handler, answers in size.counted.items()
    }
    return {**figures, f"{MEMORY}/mb": server.memory()}


def measure(
    there: dict[str, Contender],
    size: Size,
    rounds: int,
    say: Callable[[str], object] = say,
) -> list[Row]:
    """Measure all, and return a row for each group and Python; the first is the baseline.

    Args:
        there: what is compared, by name.
        size: how much is measured.
        rounds: how often, from one on.
        say: takes lines that say how far it is.
    """
    baseline = next(iter(there))
    things: dict[str, Measure] = {
        name: partial(cold, contender) for name, contender in there.items()
    }
    # Once before, which leaves its compiled modules for those that count.
    new = in_rounds(things, rounds, name="new processes", warm_up=size is WHOLE, say=say)
    refused = dict(new.refused)
    with ExitStack() as stack:
        things = {}
        for name, contender in there.items():
            if name in refused:
                continue
            say(f"{name} gets warm")
            try:
                server = stack.enter_context(contender.serving())
                get_warm(server, size, compiles=contender.python.compiles)
            except Refused as reason:
                refused[name] = str(reason)
                continue
            things[name] = partial(warm, server, size)
        old = in_rounds(things, rounds, name="warm", warm_up=False, say=say)
    old.refused |= refused
    old.figures = {name: old.figures.get(name, []) for name in there}
    parts = dict.fromkeys(GROUPS, old) | {START: new, FIRST: new}
    return [row for group in GROUPS for row in _rows(parts[group], group, baseline)]


def _rows(seen: Rounds, group: str, baseline: str) -> list[Row]:
    """Return the rows of one group, whose figures have its name before theirs."""
    only, start = Rounds(), f"{group}/"
    only.refused = seen.refused
    for name, each in seen.figures.items():
        only.figures[name] = [
            {
                figure.removeprefix(start): value
                for figure, value in figures.items()
                if figure.startswith(start)
            }
            for figures in each
        ]
    return only.rows(baseline, group=group)


def main() -> None:
    """Find what there is, measure, print the tables, and write them down."""
    options = parser("pythons", __doc__)
    options.add_argument(
        "--rounds", type=one_or_more, default=7, help="how often all are measured"
    )
    options.add_argument("--quick", action="store_true", help="one round; nothing is kept")
    options.add_argument(
        "--python",
        type=command_of,
        action="append",
        default=[],
        metavar="COMMAND",
        help="a Python that is elsewhere: its path, or several words; as often as you like",
    )
    given = options.parse_args()
    try:
        there, left_out = contenders(given.python)
    except (NoPython, NoEnvironment) as reason:
        options.error(str(reason))
    for name, contender in there.items():
        say(f"{name}: {contender.said}")
    rounds = 1 if given.quick else given.rounds
    rows = measure(there, QUICK if given.quick else WHOLE, rounds)
    said = about(
        "tornado",
        baseline=next(iter(there)),
        load="a client in Python",
        rounds=rounds,
        pictured=[*PICTURED],
        versions={name: contender.said for name, contender in there.items()},
    )
    result = {"about": said, "results": rows, "left_out": left_out}
    for group in Result(result).groups:
        print(f"\n{group}\n{Result(result).table(group)}")
    if not given.quick:
        keep("pythons", result)


if __name__ == "__main__":
    main()
