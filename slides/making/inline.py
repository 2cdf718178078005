"""Pictures of a page become parts of it, so that they have its colours and its letters."""

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

# A quoted attribute may hold what elsewhere would end the tag.
IMG = re.compile(r"""<img\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
DATA = "data:image/svg+xml;base64,"


def with_pictures(html: str, folder: Path) -> str:
    """Write the films and drawings of a page into it.

    Other pictures stay as they are: what others have drawn may have names and styles in it
    that two pictures on one page must not share.

    Args:
        html: the page, with drawings as addresses and films as data.
        folder: where the addresses begin.

    Raises:
        CannotBuild: a drawing is not there.
    """
    numbers = count(1)

    def inline(tag: re.Match[str]) -> str:
        attributes = _Attributes(tag[0]).found
        source, alt = attributes.get("src") or "", attributes.get("alt")
        if source.startswith(DATA):
            svg = decoded(source.removeprefix(DATA))
            if not playable.is_film(svg):
                return tag[0]
            return playable.playable(svg, alt or "", f"film-{next(numbers)}")
        if source.endswith(".svg") and ":" not in source:
            return drawing(folder / source, source, alt)
        return tag[0]

    return IMG.sub(inline, html)


def decoded(data: str) -> str:
    """Return the text of a picture that an address holds, or nothing if it holds none."""
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def drawing(path: Path, source: str, alt: str | None) -> str:
    """Return a drawing as a part of the page; with an empty alt text it is an ornament.

    Args:
        path: where the drawing is.
        source: the address that the page has for it.
        alt: what is to be seen in it.

    Raises:
        CannotBuild: it is not there, or cannot share a page with others.
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
        says = 'aria-hidden="true"'
    else:
        says = 'role="img"' + (f' aria-label="{escape(alt)}"' if alt else "")
    return svg.replace("<svg", f'<svg class="drawing" {says}', 1)


class _Attributes(HTMLParser):
    def __init__(self, tag: str) -> None:
        super().__init__()
        self.found: dict[str, str | None] = {}
        self.feed(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found = dict(attrs)
