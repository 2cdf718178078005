"""The deck beside nbconvert's own: when a slide is seen, what is fetched, what is wrong.

    python3 workshop.py bench deck [--quick]

Both are made from the same notebook, by their commands: ours, and `jupyter nbconvert --to
slides` without any settings. Both are opened as files, in one Chromium, with nothing in its
cache. What nbconvert's deck wants from outside it gets from a server on this machine, see
`benchmarks/_deck/internet.py`: at once, and compressed, which is the best that can happen to
it; and once more with 50 ms before each answer. The fonts of its theme are refused, so that it
does not wait for them, and they are not among the bytes. In a few things the comparison is
against it: require.js is not minified on npm, jQuery is 2.1.0 since 2.0.3 is not there, and the
server speaks HTTP/1.1 and uses processor time, which is told in the table, since on a small
machine the browser might have used it.

The first slide is seen when a frame was painted in which reveal.js is ready and the heading of
the slide is visible, counted from the beginning of the navigation. Each measurement of ours is
made right before or after one of nbconvert's, in changing order; ratios are those of such a
pair, and what is kept is their median. Whatever else the machine does makes both slower, so the
ratio of the fastest ones, which are hardly slowed down, is kept too.

axe looks at all slides, with every step taken, and counts each element once: as it is set up,
and with every rule that it has. `--quick` measures three pairs of each, and keeps nothing; else
the table is written to `benchmarks/results/deck.json`.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from classroom.measuring.ratios import Ratios
from slides.looking import axe
from slides.looking.browser import NoBrowser
from slides.paths import NOTEBOOK, PICTURES

from ._deck import packages
from ._deck.browser import Asked, Faults, Offline, asked, faults, first_slide, offline
from ._deck.internet import Internet, browser_in
from ._deck.packages import CannotCompare
from ._shared.command import parser
from ._shared.paths import ROOT
from ._shared.report import Row, about, keep

PAIRS = {"page": 25, "build": 7}
QUICK = 3
MINUTES = 3
DELAYS = (0, 50)  # milliseconds before each answer from outside


@dataclass(frozen=True)
class Deck:
    """A deck, and how it is made."""

    file: Path
    command: list[str]
    cwd: Path
    environment: dict[str, str]

    def build(self) -> float:
        """Make it, in a fresh process, and return how many seconds that took.

        Raises:
            CannotCompare: it could not be made.
        """
        start = time.perf_counter()
        done = subprocess.run(
            self.command,
            cwd=self.cwd,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            last = done.stderr.strip().rpartition("\n")[2]
            raise CannotCompare(f"{self.file.name} cannot be made: {last}")
        return seconds


def ours_in(folder: Path) -> Deck:
    """Say how our deck is made."""
    file = folder / "ours.html"
    return Deck(file, [sys.executable, "-P", "-m", "slides", "--output", str(file)], ROOT, {})


def stock_in(folder: Path) -> Deck:
    """Say how nbconvert makes its deck, and put into the folder what it is made from."""
    shutil.copy(NOTEBOOK, folder)
    # nbconvert's deck has only the addresses of the pictures in it.
    shutil.copytree(PICTURES, folder / PICTURES.name)
    settings = folder / "settings"
    settings.mkdir()
    python = [sys.executable, "-P", "-m"]
    command = [*python, "jupyter", "nbconvert", "--to", "slides", NOTEBOOK.name]
    no_settings = {
        "JUPYTER_CONFIG_DIR": str(settings),
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    return Deck(folder / f"{NOTEBOOK.stem}.slides.html", command, folder, no_settings)


def compared(
    pairs: int, stock: Callable[[], float], ours: Callable[[], float], digits: int | None = None
) -> Row:
    """Measure two things in turn, and return their medians and the ratios.

    Args:
        pairs: how often both are measured, twice at least.
        stock: measures what nbconvert makes.
        ours: measures what we make.
        digits: to how many digits a median is rounded; to a whole number if left out.
    """
    measured = []
    for number in range(pairs):
        # The order changes, so that neither always comes second.
        if number % 2:
            mine = ours()
            measured.append((stock(), mine))
        else:
            measured.append((stock(), ours()))
    stocks, mines = zip(*measured, strict=True)
    ratios = Ratios.of(mines, stocks)
    return {
        "stock": round(statistics.median(stocks), digits),
        "ours": round(statistics.median(mines), digits),
        "ratio_of_medians": round(statistics.median(mines) / statistics.median(stocks), 2),
        "ratio": ratios.median,
        "quartiles": ratios.quartiles,
        "all_within": [ratios.lowest, ratios.highest],
        "ratio_of_fastest": round(min(mines) / min(stocks), 2),
    }


def measure(pages: int, builds: int) -> tuple[Row, str]:
    """Measure everything, and return it, and the version of the browser.

    Args:
        pages: how often each first slide is measured.
        builds: how often each build is.

    Raises:
        CannotCompare: a package of npm is not here, or a deck cannot be made or shown.
        NoAxe: axe-core is not here.
        NoBrowser: no Chromium is.
    """
    internet = Internet(packages.mirrors(packages.nbconverts_addresses(), packages.MODULES))
    # It is needed last, and whether it is here is better known before all the rest is measured.
    axe.axe_core()
    with tempfile.TemporaryDirectory() as folder, browser_in(internet) as browser:
        ours, stock = ours_in(Path(folder)), stock_in(Path(folder))
        decks = {"stock": stock, "ours": ours}
        for deck in decks.values():
            # The first build reads all modules from the disk, and is not counted.
            deck.build()
        built = compared(builds, stock.build, ours.build, 2)
        seen_asking, seen_offline = dict[str, Asked](), dict[str, Offline]()
        for name, deck in decks.items():
            seen_asking[name] = asked(browser, internet, deck.file)
            seen_offline[name] = offline(browser, deck.file)
        first_slides = []
        for delay in DELAYS:
            internet.delay = delay / 1000
            cpu = internet.cpu
            row = compared(
                pages,
                lambda: first_slide(browser, stock.file),
                lambda: first_slide(browser, ours.file),
            )
            spent = round((internet.cpu - cpu) * 1000 / pages)
            first_slides.append({"far_ms": delay, **row, "server_cpu_ms": spent})
        internet.delay = 0.0
        found: dict[str, Faults] = {
            name: faults(browser, deck.file) for name, deck in decks.items()
        }
        results = {
            "first_slide_ms": first_slides,
            "build_s": built,
            "asked": {name: asdict(each) for name, each in seen_asking.items()},
            "offline": {name: asdict(each) for name, each in seen_offline.items()},
            "axe": {name: asdict(each) for name, each in found.items()},
        }
        return results, browser.version


def described(pages: int, builds: int, browser: str) -> Row:
    """Return with what it was measured."""
    names = ("axe-core", *packages.nbconverts_addresses())
    return about(
        "nbconvert",
        chromium=browser,
        npm={name: packages.version_of(name, packages.MODULES) for name in names},
        pairs={"page": pages, "build": builds},
    )


def table(results: Row) -> list[str]:
    """Return the table, line by line."""
    lines = [
        f"{'':34} {'nbconvert':>10} {'ours':>10} {'ratio':>7}  half of them within"
        "  of the fastest"
    ]

    def ratios(what: str, row: Row, unit: str) -> None:
        low, high = row["quartiles"]
        stock, ours = f"{row['stock']:g} {unit}", f"{row['ours']:g} {unit}"
        lines.append(
            f"{what:34} {stock:>10} {ours:>10} {row['ratio']:7.2f}  {low:.2f} to {high:.2f}"
            f"{row['ratio_of_fastest']:23.2f}"
        )

    def beside(what: str, of: str, value: Callable[[Row], object]) -> None:
        stock, ours = (value(results[of][name]) for name in ("stock", "ours"))
        lines.append(f"{what:34} {stock!s:>10} {ours!s:>10}")

    for row in results["first_slide_ms"]:
        how = f"answers after {row['far_ms']} ms" if row["far_ms"] else "answers at once"
        ratios(f"first slide, {how}", row, "ms")
    ratios("build", results["build_s"], "s")
    beside("requests", "asked", lambda row: row["requests"])
    beside("hosts outside", "asked", lambda row: len(row["hosts"]))
    beside("requests that were refused", "asked", lambda row: len(row["refused"]))
    beside("the file, kB", "asked", lambda row: round(row["bytes_of_the_file"] / 1000))
    beside("all that is fetched, kB", "asked", lambda row: round(row["bytes_in_all"] / 1000))
    beside(
        "starts without a network", "offline", lambda row: "yes" if row["starts"] else "never"
    )
    beside("notes that the audience sees then", "offline", lambda row: row["notes_in_sight"])
    beside("axe, as it is set up: broken rules", "axe", lambda row: len(row["by_default"]))
    beside("axe, as it is set up: elements", "axe", lambda row: _sum(row["by_default"]))
    beside("axe, every rule: broken rules", "axe", lambda row: len(row["by_every_rule"]))
    beside("axe, every rule: elements", "axe", lambda row: _sum(row["by_every_rule"]))
    spent = results["first_slide_ms"][0]["server_cpu_ms"]
    lines.append(f"For nbconvert's deck the server took {spent} ms of processor time.")
    return lines


def _sum(faults: dict[str, int]) -> int:
    return sum(faults.values())


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table, and write it down.

    Returns:
        The exit code: 1 if something is missing.
    """
    options = parser("deck", __doc__)
    options.add_argument("--quick", action="store_true", help="three pairs, and keep nothing")
    quick = options.parse_args(argv).quick
    pages, builds = (QUICK, QUICK) if quick else (PAIRS["page"], PAIRS["build"])
    try:
        results, browser = measure(pages, builds)
    except (CannotCompare, NoBrowser, axe.NoAxe) as reason:
        print(f"deck: {reason}", file=sys.stderr)
        return 1
    print("\n".join(table(results)))
    if not quick:
        keep("deck", {"about": described(pages, builds, browser), "results": results})
    return 0


if __name__ == "__main__":
    sys.exit(main())
