"""How one thing compares with another, when both were measured again and again."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass


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
