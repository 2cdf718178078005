"""Where the talk is, what it is made of, and where what is made of it goes."""

from importlib.resources import files
from pathlib import Path

# Links of a page are resolved before they are compared with these.
SLIDES = Path(str(files("slides"))).resolve()
NOTEBOOK = SLIDES / "stormy_webber.ipynb"
THEN_AND_NOW = SLIDES / "then_and_now.md"
COLOURS = SLIDES / "colours.css"
SPEAKER = SLIDES / "speaker.toml"
PICTURES = SLIDES / "pictures"
AXE = SLIDES / "npm" / "node_modules" / "axe-core" / "axe.min.js"
DECK = SLIDES / "build" / "stormy_webber.html"

ROOT = SLIDES.parent
NOTEBOOKS = ROOT / "notebooks"
HANDOUT = NOTEBOOKS / "handout.md"
