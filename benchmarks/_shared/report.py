"""What a benchmark reports: with what it measured, and where that is kept."""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from classroom.measuring.neighbours import processors

from . import pages
from .paths import RESULTS
from .reproduced import compare, summary, without_figures
from .whole import write_whole

Row = dict[str, Any]


def about(*packages: str, **more: object) -> Row:
    """Return with what something was measured, as the part "about" of a result.

    Args:
        *packages: the distributions that matter; those that are not installed are left out.
        **more: what else to say, after the versions and the machine.
    """
    versions = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "python": platform.python_version(),
        **versions,
        "machine": f"{platform.system()} {platform.machine()}, {processors()} processors",
        # What was measured is in it, too: about one for each processor that it had.
        **({"load_average": round(os.getloadavg()[0], 1)} if hasattr(os, "getloadavg") else {}),
        **more,
    }


def result_file(name: str) -> Path:
    """Return the file that keeps the result of a benchmark."""
    return RESULTS / f"{name}.json"


def keep(name: str, result: Row, *, measured: Row | None = None) -> None:
    """Write the result of a benchmark into its file, over that of an earlier run.

    Before, it is compared with that run: each ratio is printed with those words, and how many
    are reproduced is kept in the part "about". What had figures then, and has none now, is
    printed too; git has them. A file that cannot be compared is overwritten all the same, since
    what was measured may have taken half an hour. Afterwards the pictures and the page of all
    results are written again.

    Args:
        name: the benchmark.
        result: with the parts "about" and "results", and more if it has any.
        measured: what of it was measured by this run, where that is not all.

    Raises:
        OSError: it cannot be written.
    """
    RESULTS.mkdir(exist_ok=True)
    file = result_file(name)
    if said := _compared(file, measured or result):
        result = {**result, "about": {**result["about"], "reproduced": said}}
    write_whole(file, json.dumps(result, indent=2) + "\n")
    pages.write(RESULTS)


def _compared(file: Path, measured: Row) -> str:
    """Print how a run compares with the one that is kept; return how much is reproduced."""
    if not file.is_file():
        return ""
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
        pairs, gone = compare(before, measured), without_figures(before, measured)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        print(f"the run before cannot be compared: {error!r}")
        return ""
    for line in (*pairs, *gone):
        print(line)
    if said := summary(pairs):
        print(said)
    return said
