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

from slides.making.files import read_text, write
from slides.making.inline import with_pictures
from slides.making.notebook import CannotBuild, read
from slides.paths import COLOURS, DECK, NOTEBOOK

TEMPLATE = Path(str(files("slides.making"))) / "template"

# A line of more columns has no room on a slide in the largest letters for code.
MOST_COLUMNS = 74

# A comment in which a slide begins or ends is one that a cell has left open.
SWALLOWED = re.compile(r"<!--(?:(?!-->).)*?</?section", re.DOTALL)


def build(notebook: Path = NOTEBOOK, output: Path = DECK) -> Path:
    """Write the deck of a notebook into a file.

    Args:
        notebook: the slides.
        output: where the deck goes; its folder is made.

    Returns:
        Where the deck is.

    Raises:
        CannotBuild: something that it needs is missing; nothing is written then.
        OSError: the file cannot be written.
    """
    return write(output, render(notebook))


def render(notebook: Path = NOTEBOOK) -> str:
    """Return the deck of a notebook as HTML. Its cells are not run, and no file is written.

    Args:
        notebook: the slides. Addresses of drawings begin at its folder.

    Raises:
        CannotBuild: something that the deck needs is missing.
    """
    parts = deck_parts()
    talk = read(notebook)
    exporter = SlidesExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        exclude_anchor_links=True,
        # Once, and not after each step.
        optimistic_validation=True,
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
    # Python before 3.14 refuses it above, later ones read it as a browser does.
    if SWALLOWED.search(html):
        raise CannotBuild(
            f"{notebook.name} has HTML that nobody can read: a comment that never ends"
        )
    return with_pictures(html, notebook.parent)


def prepare(notebook: NotebookNode) -> None:
    """Put into a notebook what the template cannot work out by itself.

    That is the time for each slide, as reveal.js wants it, and the tag `wide` for code that
    needs smaller letters.

    Args:
        notebook: the slides; it is changed.

    Raises:
        CannotBuild: a slide has minutes that are no number.
    """
    for cells in slides(notebook):
        if "minutes" in cells[0].metadata:
            # The speaker view counts in seconds, and tells whether the talk is behind.
            minutes = cells[0].metadata.minutes
            if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes < 0:
                title = cells[0].source.partition("\n")[0]
                raise CannotBuild(f"{title!r} has minutes that are no number: {minutes!r}.")
            slideshow = cells[0].metadata.setdefault("slideshow", {})
            slideshow.setdefault("data", {})["timing"] = f"{60 * minutes:g}"
        code = [cell for cell in cells if cell.cell_type == "code"]
        if any(len(line) > MOST_COLUMNS for cell in code for line in shown_lines(cell)):
            # All code of a slide gets one size: of two, the larger would seem to matter more.
            for cell in code:
                cell.metadata.setdefault("tags", []).append("wide")


def slides(notebook: NotebookNode) -> Iterator[list[NotebookNode]]:
    """Yield the cells of each slide, with their notes.

    Args:
        notebook: the slides. A slide (of 2013) and a sub-slide (of today) are one each.
    """
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


def shown_lines(cell: NotebookNode) -> list[str]:
    """Return the lines of a cell's code, and those of its outputs that are plain text."""
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
            "reveal_css": read_text(reveal / "reveal.css"),
            "reveal_js": script(reveal / "reveal.js"),
            "notes_js": script(reveal / "plugin" / "notes.js"),
            "colours_css": read_text(COLOURS),
            "theme_css": read_text(TEMPLATE / "theme.css"),
            "noscript_css": read_text(TEMPLATE / "noscript.css"),
            "start_js": script(TEMPLATE / "start.js"),
        }
    except FileNotFoundError as error:
        raise CannotBuild(
            f"{error.filename} is not there: this is not the pyreveal of the lock."
        ) from None


def script(path: Path) -> str:
    r"""Return a script that may stand between `<script>` and `</script>`.

    An HTML parser ends or nests the element at `<script`, `</script` and `<!--`, also inside
    of JavaScript's quotes. `\x3c` is the same character to JavaScript as `<`, in a string, a
    template and a regular expression alike.
    """
    return re.sub(r"<(?=!--|/?script)", r"\\x3c", read_text(path), flags=re.IGNORECASE)
