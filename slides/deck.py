"""Make the deck: one HTML file, from the outputs in the notebook, that asks for nothing else.

nbconvert makes the slides with the template beside this file, and reveal.js is written into
them from the package pyreveal. So the file opens anywhere, without a network, and two builds
give the same bytes.
"""

from __future__ import annotations

import base64
import re
from html import unescape
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from slides import films

if TYPE_CHECKING:
    from nbformat import NotebookNode

SLIDES = Path(__file__).resolve().parent
NOTEBOOK = SLIDES / "stormy_webber.ipynb"
TEMPLATE = SLIDES / "template"
COLOURS = SLIDES / "colours.css"

# More columns than this have no room in the largest letters.
WIDE = 74
DECK = SLIDES / "build" / "stormy_webber.html"


class CannotBuild(Exception):
    """Why there is no deck, in a sentence for the person who wants it."""


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
    import nbformat
    from nbconvert.exporters import SlidesExporter

    if not notebook.is_file():
        raise CannotBuild(f"There is no notebook {notebook}.")
    slides = nbformat.read(notebook, as_version=4)
    never_run = [
        cell for cell in slides.cells if cell.cell_type == "code" and not cell.execution_count
    ]
    if never_run:
        raise CannotBuild(
            f"{notebook.name} has cells that were never run: {len(never_run)}, the first begins"
            f" with {never_run[0].source.partition(chr(10))[0]!r}. The slides show what stands"
            " in the notebook, so run it first: python3 workshop.py refresh"
        )
    exporter = SlidesExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(SLIDES)],
        exclude_anchor_links=True,
    )
    prepare(slides)
    html, _ = exporter.from_notebook_node(
        slides, {"deck": parts, "metadata": {"name": notebook.stem}}
    )
    html = with_pictures(html, notebook.parent)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(html, encoding="utf-8", newline="\n")
    return output


def prepare(slides: NotebookNode) -> None:
    """Tell the template what it cannot see: the minutes of a slide, and which code is wide."""
    for cell in slides.cells:
        if minutes := cell.metadata.get("minutes"):
            # The speaker view counts seconds, and says whether one is behind.
            data = cell.metadata.slideshow.setdefault("data", {})
            data["timing"] = f"{60 * minutes:g}"
        lines = cell.source.splitlines() if cell.cell_type == "code" else []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            shown = "" if "text/html" in data else data.get("text/plain", "")
            lines += output.get("text", shown).splitlines()
        if max(map(len, lines), default=0) > WIDE:
            cell.metadata.setdefault("tags", []).append("wide")


def with_pictures(html: str, folder: Path) -> str:
    """Write the SVG pictures of a page into it, so that they have its colours.

    Args:
        html: the page, with pictures as addresses or as data.
        folder: where their addresses begin.

    Raises:
        CannotBuild: a picture is not there, or has no words for those who cannot see it.
    """
    numbers = count(1)

    def inline(found: re.Match[str]) -> str:
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', found[0]))
        source, alt = attributes.get("src", ""), attributes.get("alt", "")
        if source.startswith("data:image/svg+xml;base64,"):
            svg = base64.b64decode(source.partition(",")[2]).decode()
        elif source.endswith(".svg") and ":" not in source:
            try:
                svg = text(folder / source)
            except FileNotFoundError:
                raise CannotBuild(f"A slide shows {source}, which is not there.") from None
        else:
            return found[0]
        if films.is_film(svg):
            return films.playable(svg, unescape(alt), f"film-{next(numbers)}")
        says = f'role="img" aria-label="{alt}"' if alt else 'aria-hidden="true"'
        return svg.replace("<svg", f'<svg class="drawing" {says}', 1)

    return re.sub(r"<img\b[^>]*>", inline, html)


def deck_parts() -> dict[str, str]:
    """Return what the template writes into the deck.

    Raises:
        CannotBuild: a package is not installed, or its reveal.js is not where it was.
    """
    for package in ("nbconvert", "pyreveal"):
        if find_spec(package) is None:
            raise CannotBuild(
                f"The package {package} is not installed here."
                " `python3 workshop.py slides` brings it."
            )
    spec = find_spec("pyreveal")
    assert spec and spec.origin
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
