"""Set-up from nothing, by the door and by pip: with an empty cache, a full one, and a stick.

    python3 workshop.py bench setup [--rounds N] [--quick]

All make an environment from `requirements.lock`, with its hashes: the door in the way of every
verb, and pip as people do by hand, `python -m venv` and `pip install --no-deps -r`. pip also
compiles each module, which the door leaves to when it is first imported; so there is a pip that
is told to leave it too.

- An empty cache: everything comes from the index, or from the mirror that pip's settings name.
- A full cache: that of the same installer, from the round before.
- A stick: its wheels for this machine, an empty cache, and no network.

`disk_mb` is what the environment and the cache have on the disk afterwards; a file that is in
both counts once. With `--quick` there is one round from a stick, and nothing is kept.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from classroom.measured.results import Result
from classroom.measuring.rounds import Measure, in_rounds
from tools.locks import CORE, read_lock
from tools.trouble import Trouble
from tools.wheels import fill, pins

from ._setup.ways import (
    Start,
    Way,
    by_pip,
    by_pip_without_compiling,
    by_the_door,
    figures,
    here,
)
from ._shared.command import end_when_told, one_or_more, parser
from ._shared.report import Row, about, keep

NOT_IN_ALL = "it fetches all packages of the lab from the index, three times in each round"
ROUNDS = 5
BASELINE = "pip"
WAYS: dict[str, Way] = {
    BASELINE: by_pip,
    "pip, told not to compile": by_pip_without_compiling,
    "the door": by_the_door,
}
EMPTY, FULL, STICK = "an empty cache", "a full cache", "a stick"


def measure(rounds: int, folder: Path, groups: dict[str, Start]) -> list[Row]:
    """Set up in each way, again and again, and return the rows.

    Args:
        rounds: how often.
        folder: for environments and caches.
        groups: from what it is done; one with a cache has that of the group before it.
    """
    rows = []
    for name, start in groups.items():
        things: dict[str, Measure] = {
            called: partial(figures, way, start, folder / called.rpartition(" ")[2])
            for called, way in WAYS.items()
        }
        seen = in_rounds(things, rounds, name=name, warm_up=False)
        rows += seen.rows(BASELINE, group=name)
    return rows


def stick_for_this_machine(folder: Path) -> Start:
    """Fetch the wheels that a stick has for this machine.

    Raises:
        Trouble: it has none, or they cannot be fetched.
    """
    pair = here()
    if not pair:
        raise Trouble("a stick has no wheels for this system, or for this Python.")
    fill(folder, pins(read_lock(CORE)), [pair])
    return Start(has_cache=False, wheels=folder)


def main() -> None:
    """Measure, print a table for each group, and write them down."""
    options = parser("setup", __doc__)
    options.add_argument(
        "--rounds", type=one_or_more, help=f"how often each is set up; {ROUNDS}"
    )
    options.add_argument("--quick", action="store_true", help="look, and keep nothing")
    given = options.parse_args()
    end_when_told()
    rounds = given.rounds or (1 if given.quick else ROUNDS)
    with tempfile.TemporaryDirectory() as spare:
        folder = Path(spare)
        try:
            groups = {STICK: stick_for_this_machine(folder / "wheels")}
        except Trouble as trouble:
            sys.exit(f"bench setup: {trouble}")
        if not given.quick:
            fetched = {EMPTY: Start(has_cache=False), FULL: Start(has_cache=True)}
            groups = {**fetched, **groups}
        rows = measure(rounds, folder, groups)
    said = about("pip", "uv", baseline=BASELINE, rounds=rounds)
    found = {"about": said, "results": rows}
    for group in groups:
        print(f"\n{group}\n{Result(found).table(group)}")
    if not given.quick:
        keep("setup", found)


if __name__ == "__main__":
    main()
