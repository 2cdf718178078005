"""Make the deck: one HTML file, from the outputs in the notebook, that asks for nothing else.

nbconvert makes the slides with the template beside this file, and reveal.js is written into
them from the package pyreveal. So the file opens anywhere, without a network, and two builds
give the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

from bs4.exceptions import ParserRejectedMarkup
from nbconvert.exporters import SlidesExporter
from nbconvert.filters import Highlight2HTML
from nbformat import NotebookNode

from slides.making import qr, speaker
from slides.making.files import TEMPLATE, icon, read_text, write
from slides.making.inline import with_pictures
from slides.making.notebook import CannotBuild, read
from slides.making.onward import Onward
from slides.making.tables import with_scope
from slides.making.timing import clock, kind, timing
from slides.paths import COLOURS, DECK, NOTEBOOK, SPEAKER

# What a link in a cell leads to.
LINK = re.compile(r"\]\((https://[^)\s]+)\)")

# What a rule for slides that fly in has in its selector.
TRANSITION = re.compile(r"\[data-(?:background-)?transition[~^*$|]?=(?!\"?none)")

# A comment in which a slide begins or ends is one that a cell has left open.
SWALLOWED = re.compile(r"<!--(?:(?!-->).)*?</?section", re.DOTALL)


def build(
    notebook: Path = NOTEBOOK,
    output: Path = DECK,
    *,
    by: str | None = None,
    beside: Path | None = None,
) -> Path:
    """Write the deck of a notebook into a file.

    Args:
        notebook: the slides.
        output: where the deck goes; its folder is made.
        by: who gives the talk; by default whoever `slides/speaker.toml` names.
        beside: the folder of the notebooks whose pages stand beside the deck, if they do.

    Returns:
        Where the deck is.

    Raises:
        CannotBuild: something that it needs is missing; nothing is written then.
        OSError: the file cannot be written.
    """
    return write(output, render(notebook, by=by, beside=beside))


def render(
    notebook: Path = NOTEBOOK, *, by: str | None = None, beside: Path | None = None
) -> str:
    """Return the deck of a notebook as HTML. Its cells are not run, and no file is written.

    Args:
        notebook: the slides. Addresses of drawings begin at its folder.
        by: who gives the talk; by default whoever `slides/speaker.toml` names.
        beside: the folder of the notebooks to whose pages the deck has links, if any.

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
        filters={"highlight_code": highlighted},
    )
    prepare(talk, speaker.name(SPEAKER) if by is None else by, beside)
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
    return with_pictures(with_scope(html), notebook.parent)


def prepare(notebook: NotebookNode, by: str = "", beside: Path | None = None) -> None:
    """Put into a notebook what the template cannot work out by itself.

    That is the time for each slide, for the speaker view and for the notes, the numbers of the
    slides in the appendix, who speaks, where a part goes on, and the codes of addresses.

    Args:
        notebook: the slides; it is changed.
        by: who gives the talk.
        beside: the folder of the notebooks to whose pages the deck has links, if any.
    """
    onward = Onward(beside)
    begun, behind = 0, 0
    for cells in slides(notebook):
        first = cells[0].metadata
        behind += bool(behind) or "appendix" in first.get("tags", [])
        seconds = timing(cells).seconds
        data = first.setdefault("slideshow", {}).setdefault("data", {})
        if behind:
            # reveal.js leaves it out of its numbers, and the spider out of its way.
            data["visibility"] = "uncounted"
            data["number"] = f"A{behind}"
            when = f"**{clock(seconds)}**, not in the talk."
        else:
            data["timing"] = str(seconds)
            when = f"**{clock(seconds)}**, from {clock(begun)}."
            begun += seconds
        for cell in cells:
            if kind(cell) == "notes" and cell.source.strip():
                cell.source = f"{when}\n\n{cell.source}"
            if "on" in cell.metadata.get("tags", []):
                cell.source = onward.line(cell.source)
            if "address" in cell.metadata.get("tags", []):
                codes = "".join(map(qr.picture, LINK.findall(cell.source)))
                cell.source = f"{codes}\n\n{cell.source}"
        if cells[0].source.startswith("# "):
            cells[0].source += speaker.line(by)


def length(notebook: NotebookNode) -> int:
    """Return how many seconds the talk takes, without its appendix.

    Args:
        notebook: the slides.
    """
    whole = takewhile(
        lambda cells: "appendix" not in cells[0].metadata.get("tags", []), slides(notebook)
    )
    return sum(timing(cells).seconds for cells in whole)


def slides(notebook: NotebookNode) -> Iterator[list[NotebookNode]]:
    """Yield the cells of each slide, with their notes.

    Args:
        notebook: the slides. A slide (of 2013) and a sub-slide (of today) are one each.
    """
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        if kind(cell) in ("slide", "subslide"):
            if cells:
                yield cells
            cells = [cell]
        elif cells and kind(cell) != "skip":
            cells.append(cell)
    if cells:
        yield cells


def highlighted(
    source: str, language: str | None = None, metadata: NotebookNode | None = None
) -> str:
    """Return code as HTML in colours, with the lines marked that its cell calls `lit`.

    Args:
        source: the code.
        language: what it is written in; Python by default.
        metadata: that of its cell.
    """
    lit = metadata.get("lit", []) if metadata else []
    highlight = Highlight2HTML(extra_formatter_options={"hl_lines": lit})
    return coloured_only(str(highlight(source, language, metadata)))


def coloured_only(code: str) -> str:
    """Return highlighted code without the elements that the theme gives no colour."""
    return plain_elements().sub(r"\1", code)


@cache
def plain_elements() -> re.Pattern[str]:
    """Return what finds the elements of code that the theme gives no colour."""
    styled = re.findall(r"\.highlight \.(\w+)", read_text(TEMPLATE / "theme.css"))
    return re.compile(rf'<span(?: class="(?!(?:{"|".join(styled)})")\w+")?>([^<]*)</span>')


def notes_plugin(source: Path) -> str:
    """Return reveal.js's plugin for the speaker's notes, with a view that has room for them.

    It is made from its source. As it is built, it brings a parser of Markdown with it, larger
    than the rest and for notes that are Markdown, and those of a notebook are HTML already.

    Args:
        source: the folder of the plugin's source in the package of reveal.js.

    Raises:
        CannotBuild: the source is not as it was.
        FileNotFoundError: nor is it where it was.
    """
    plugin = read_text(source / "plugin.js")
    body, imports = re.subn(r"^import .*$", "", plugin, flags=re.MULTILINE)
    body, exports = re.subn(r"^export default Plugin;$", "", body, flags=re.MULTILINE)
    view = read_text(source / "speaker-view.html")
    ends = [view.count("</head>"), view.count("</body>")]
    if (imports, exports, ends) != (2, 1, [1, 1]):
        raise CannotBuild("This pyreveal has another plugin for notes than that of the lock.")
    style = f"<style>\n{read_text(TEMPLATE / 'speaker.css')}\n</style>\n"
    does = f"<script>\n{read_text(TEMPLATE / 'speaker.js')}\n</script>\n"
    view = view.replace("</head>", f"{style}</head>").replace("</body>", f"{does}</body>")
    view = re.sub(r"^\s+", "", view, flags=re.MULTILINE)
    parts = {"speakerViewHTML": json.dumps(view), "marked": "null"}
    given = "".join(f"const {name} = {value};\n" for name, value in parts.items())
    body = re.sub(r"^\s+", "", body, flags=re.MULTILINE)
    return embedded(f"const RevealNotes = (() => {{\n{given}{body}\nreturn Plugin;\n}})();")


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
            "icon": icon(),
            "reveal_css": without_transitions(read_text(reveal / "reveal.css")),
            "reveal_js": script(reveal / "reveal.js"),
            "notes_js": notes_plugin(reveal.parent / "plugin" / "notes"),
            "colours_css": read_text(COLOURS),
            "theme_css": read_text(TEMPLATE / "theme.css"),
            "noscript_css": read_text(TEMPLATE / "noscript.css"),
            "start_js": script(TEMPLATE / "start.js"),
        }
    except FileNotFoundError as error:
        raise CannotBuild(
            f"{error.filename} is not there: this is not the pyreveal of the lock."
        ) from None


def without_transitions(css: str) -> str:
    """Return the style of reveal.js without that of slides that fly in: here none does."""

    def kept(rule: re.Match[str]) -> str:
        parts = rule[1].split(",")
        return "" if all(TRANSITION.search(part) for part in parts) else rule[0]

    return re.sub(r"([^{}@;]+)\{[^{}]*\}", kept, css)


def script(path: Path) -> str:
    r"""Return the text of a script; see `embedded`."""
    return embedded(read_text(path))


def embedded(javascript: str) -> str:
    r"""Return a script that may stand between `<script>` and `</script>`.

    An HTML parser ends or nests the element at `<script`, `</script` and `<!--`, also inside
    of JavaScript's quotes. `\x3c` is the same character to JavaScript as `<`, in a string, a
    template and a regular expression alike.
    """
    return re.sub(r"<(?=!--|/?script)", r"\\x3c", javascript, flags=re.IGNORECASE)
