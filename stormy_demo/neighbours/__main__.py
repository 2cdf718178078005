"""Say which of the neighbours are programs: `python -m stormy_demo.neighbours`."""

from pathlib import Path

from stormy_demo.programs import tell

tell("stormy_demo.neighbours", Path(__file__).parent)
