"""Make the deck: one HTML file, from the outputs in the notebook, that asks for nothing else.

nbconvert makes the slides with the template beside this file, and reveal.js is written into
them from the package pyreveal. So the file opens anywhere, without a network, and two builds
give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from bs4.exceptions import ParserRejectedMarkup
from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode

from slides.making.inline import with_pictures
from slides.making.notebook import CannotBuild, read
from slides.paths import COLOURS, DECK, NOTEBOOK

TEMPLATE = Path(str(files("slides.making"))) / "template"

# More columns than this have no room in the largest letters.
WIDE = 74


def build(notebook: Path = NOTEBOOK, output: Path = DECK) -> Path:
    """Make the deck from a notebook, without running it.

    Args:
        notebook: the slides.
        output: where the deck goes; its folder is made.

    Returns:
        Where the deck is.

    Raises:
        CannotBuild: something that it needs is missing.
    """
    parts = deck_parts()
    talk = read(notebook)
    exporter = SlidesExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        exclude_anchor_links=True,
    )
    prepare(talk)
    number = len([*slides(talk)])
    if not number:
        raise CannotBuild(f"{notebook.name} has no slides: no cell is the first of one.")
    resources = {"deck": {**parts, "slides": number}, "metadata": {"name": notebook.stem}}
    try:
        html, _ = exporter.from_notebook_node(talk, resources)
    except ParserRejectedMarkup as why:
        raise CannotBuild(
            f"{notebook.name} has HTML that nobody can read: {str(why).splitlines()[-1]}"
        ) from None
    html = with_pictures(html, notebook.parent)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(html, encoding="utf-8", newline="\n")
    return output


def prepare(notebook: NotebookNode) -> None:
    """Tell the template what it cannot see: the minutes of a slide, and which code is wide."""
    for cells in slides(notebook):
        if "minutes" in cells[0].metadata:
            # The speaker view counts seconds, and says whether one is behind.
            minutes = cells[0].metadata.minutes
            if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes < 0:
                title = cells[0].source.partition("\n")[0]
                raise CannotBuild(f"{title!r} has minutes that are no number: {minutes!r}.")
            slideshow = cells[0].metadata.setdefault("slideshow", {})
            slideshow.setdefault("data", {})["timing"] = f"{60 * minutes:g}"
        code = [cell for cell in cells if cell.cell_type == "code"]
        if any(len(line) > WIDE for cell in code for line in shown(cell)):
            # All code of a slide is of one size, or the larger would seem to matter more.
            for cell in code:
                cell.metadata.setdefault("tags", []).append("wide")


def slides(notebook: NotebookNode) -> Iterator[list[NotebookNode]]:
    """Give the cells of each slide, those of today below a slide of 2013 too."""
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if kind in ("slide", "subslide"):
            if cells:
                yield cells
            cells = [cell]
        elif cells and kind != "skip":
            cells.append(cell)
    if cells:
        yield cells


def shown(cell: NotebookNode) -> list[str]:
    """Return the lines of a cell's code, and of what it printed or gave."""
    lines = cell.source.splitlines()
    for output in cell.outputs:
        data = output.get("data", {})
        plain = "" if "text/html" in data else data.get("text/plain", "")
        lines += output.get("text", plain).splitlines()
    return [str(line) for line in lines]


def deck_parts() -> dict[str, str]:
    """Return what the template writes into the deck.

    Raises:
        CannotBuild: a package is not installed, or its reveal.js is not where it was.
    """
    spec = find_spec("pyreveal")
    if spec is None or spec.origin is None:
        raise CannotBuild(
            "The package pyreveal is not installed here."
            " `python3 workshop.py slides` brings it."
        )
    reveal = Path(spec.origin).parent / "revealjs" / "dist"
    try:
        return {
            "reveal_css": text(reveal / "reveal.css"),
            "reveal_js": script(reveal / "reveal.js"),
            "notes_js": script(reveal / "plugin" / "notes.js"),
            "colours_css": text(COLOURS),
            "theme_css": text(TEMPLATE / "theme.css"),
            "noscript_css": text(TEMPLATE / "noscript.css"),
            "start_js": script(TEMPLATE / "start.js"),
        }
    except FileNotFoundError as error:
        raise CannotBuild(
            f"{error.filename} is not there: this is not the pyreveal of the lock."
        ) from None


def text(path: Path) -> str:
    """Return the text of a file."""
    return path.read_text(encoding="utf-8").strip()


def script(path: Path) -> str:
    r"""Return a script that may stand between `<script>` and its end.

    A browser looks for these words without a look at JavaScript's quotes. `\x3c` is the same
    character to JavaScript, in a string, a template and a regular expression alike.
    """
    return re.sub(r"<(?=!--|/?script)", r"\\x3c", text(path), flags=re.IGNORECASE)
