"""Where the kit is, and what of it is found by its place and not imported."""

from importlib.resources import files
from pathlib import Path

ROOT = Path(str(files("classroom"))).parent
EXERCISES = ROOT / "exercises"
RESULTS = ROOT / "benchmarks" / "results"
