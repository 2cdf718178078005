"""Where the talk is, what it is made of, and where what is made of it goes."""

from importlib.resources import files
from pathlib import Path

SLIDES = Path(str(files("slides")))
NOTEBOOK = SLIDES / "stormy_webber.ipynb"
COLOURS = SLIDES / "colours.css"
PICTURES = SLIDES / "pictures"
DECK = SLIDES / "build" / "stormy_webber.html"

PROJECT = SLIDES.parent
NOTEBOOKS = PROJECT / "notebooks"
