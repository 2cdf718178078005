"""Where the kit is, and what of it is found by its place and not imported."""

from importlib.resources import files
from pathlib import Path

ROOT = Path(str(files("classroom"))).parent
NOTEBOOKS = ROOT / "notebooks"
EXERCISES = ROOT / "exercises"
RESULTS = ROOT / "benchmarks" / "results"
WORK = ROOT / "work"
