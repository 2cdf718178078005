"""What a benchmark reports: with what it measured, how things compare, where that is kept."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .paths import RESULTS

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
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        **more,
    }


def result_file(name: str) -> Path:
    """Return the file that keeps the result of a benchmark."""
    return RESULTS / f"{name}.json"


def keep(name: str, result: Row) -> None:
    """Write the result of a benchmark into its file, over that of an earlier run.

    Args:
        name: the benchmark.
        result: with the parts "about" and "results", and more if it has any.
    """
    RESULTS.mkdir(exist_ok=True)
    result_file(name).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Ratios:
    """How one thing compares with another, rounded to two digits.

    Each ratio is that of two measurements that were made at nearly the same time: a slow moment
    of the machine is in both, and hardly changes the ratio.

    Attributes:
        each: the ratio of each pair; there is one at least.
    """

    each: tuple[float, ...]

    @classmethod
    def of(cls, mine: Iterable[float], theirs: Iterable[float]) -> Ratios:
        """Divide what was measured of one thing by what was measured of the other.

        Raises:
            ValueError: the two are not equally long.
        """
        return cls(tuple(one / other for one, other in zip(mine, theirs, strict=True)))

    @property
    def median(self) -> float:
        """Return the median, which is what is quoted."""
        return round(statistics.median(self.each), 2)

    @property
    def lowest(self) -> float:
        """Return the lowest ratio of all pairs."""
        return round(min(self.each), 2)

    @property
    def highest(self) -> float:
        """Return the highest ratio of all pairs."""
        return round(max(self.each), 2)

    @property
    def quartiles(self) -> list[float]:
        """Return the two ratios between which half of the pairs are; it takes two pairs."""
        low, _, high = statistics.quantiles(self.each, method="inclusive")
        return [round(low, 2), round(high, 2)]
