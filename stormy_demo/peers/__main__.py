"""Say which of the peers are programs: `python -m stormy_demo.peers`."""

from pathlib import Path

from stormy_demo.programs import tell

tell("stormy_demo.peers", Path(__file__).parent)
