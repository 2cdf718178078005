"""Where the benchmarks are, and where they keep what they measured."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

BENCHMARKS = Path(str(files("benchmarks")))
RESULTS = BENCHMARKS / "results"
ROOT = BENCHMARKS.parent
