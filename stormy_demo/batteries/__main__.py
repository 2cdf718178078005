"""Say which of the batteries are programs: `python -m stormy_demo.batteries`."""

from pathlib import Path

from stormy_demo.programs import tell

tell("stormy_demo.batteries", Path(__file__).parent)
