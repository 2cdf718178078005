"""Writes the pictures of a page into it, so that they have its colours and its fonts."""

from __future__ import annotations

import base64
import binascii
import re
from html import escape
from html.parser import HTMLParser
from itertools import count
from pathlib import Path

from slides.making import playable
from slides.making.notebook import CannotBuild

# The words of an alt text may have a ">" in them, which outside of quotes would end the tag.
IMG = re.compile(r"""<img\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
DATA = "data:image/svg+xml;base64,"
# What an output has of a film, or of another picture that was drawn here.
FILM = re.compile(rf'src="{re.escape(DATA)}([^"]+)"')


def with_pictures(html: str, folder: Path) -> str:
    """Return a page with its films and drawings written into it.

    Other pictures stay as they are. An SVG from elsewhere may have ids and styles, which would
    then apply to the whole page.

    Args:
        html: the page; a drawing is an `<img>` with the address of a file, a film one with
            its data.
        folder: where the addresses begin.

    Raises:
        CannotBuild: a drawing is not there, or has ids or styles of its own.
    """
    numbers = count(1)

    def inline(tag: re.Match[str]) -> str:
        attributes = _Attributes(tag[0]).found
        source, alt = attributes.get("src") or "", attributes.get("alt")
        if source.startswith(DATA):
            svg = decoded(source.removeprefix(DATA))
            if playable.is_film(svg):
                return playable.figure(svg, alt or "", f"film-{next(numbers)}")
            return playable.bars(svg, alt or "") if playable.has_two_lights(svg) else tag[0]
        if source.endswith(".svg") and ":" not in source:
            return drawing(folder / source, source, alt)
        return tag[0]

    return IMG.sub(inline, playable.unframed(html))


def decoded(data: str) -> str:
    """Return the SVG that a data address holds, or nothing if it holds no text."""
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def drawing(path: Path, source: str, alt: str | None) -> str:
    """Return a drawing as a part of the page.

    Args:
        path: where the drawing is.
        source: the address that the page has for it.
        alt: what is to be seen in it; if empty, the drawing is hidden from screen readers.

    Raises:
        CannotBuild: the drawing is not there, or has ids or styles of its own.
    """
    try:
        svg = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise CannotBuild(f"A slide shows {source}, which is not there.") from None
    except (OSError, UnicodeDecodeError):
        raise CannotBuild(f"A slide shows {source}, which is no SVG.") from None
    if re.search(r"<(style|script)\b|\sid=", svg):
        raise CannotBuild(f"{source} has a style, a script or an id, and the page its own.")
    if alt == "":
        aria = 'aria-hidden="true"'
    else:
        aria = 'role="img"' + (f' aria-label="{escape(alt)}"' if alt else "")
    # The page has these colours, and a drawing its own for where there is no page.
    svg = re.sub(r"var\((--\w+), #\w+\)", r"var(\1)", svg)
    return svg.replace("<svg", f'<svg class="drawing" {aria}', 1)


class _Attributes(HTMLParser):
    """The attributes of one tag."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.found: dict[str, str | None] = {}
        self.feed(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found = dict(attrs)
