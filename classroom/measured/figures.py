"""How a figure is called, and written: the unit is the end of its name, as in `cpu_us`."""

from __future__ import annotations

UNITS = {
    "us": "µs",
    "ms": "ms",
    "s": "s",
    "seconds": "seconds",
    "bytes": "bytes",
    "kb": "kB",
    "mb": "MB",
}
NAMES = {"cpu": "CPU", "rps": "requests/s", "rss": "memory"}


def unit(figure: str) -> str:
    """Return the unit of a figure, or nothing where it counts."""
    if figure == "rps":
        return NAMES["rps"]
    return UNITS.get(figure.rpartition("_")[2], "")


def heading(figure: str) -> str:
    """Return how a figure is called where there is no room, with its unit at the end."""
    words = figure.split("_")
    last = UNITS.get(words[-1]) or NAMES.get(words[-1], words[-1])
    return " ".join([*(NAMES.get(word, word) for word in words[:-1]), last])


def number(value: float) -> str:
    """Write a number with all of its whole digits, and with two behind the dot at most.

    There are fewer where three count, and where the last ones are noughts.
    """
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    words = f"{value:.{digits}f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def ratio(value: float) -> str:
    """Write a ratio, with two digits behind the dot while they say something."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
