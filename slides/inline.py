"""Pictures of a page become parts of it, so that they have its colours and its letters."""

from __future__ import annotations

import base64
import re
from html import unescape
from itertools import count
from pathlib import Path

from slides import films
from slides.notebook import CannotBuild


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
                svg = (folder / source).read_text(encoding="utf-8").strip()
            except FileNotFoundError:
                raise CannotBuild(f"A slide shows {source}, which is not there.") from None
        else:
            return found[0]
        if films.is_film(svg):
            return films.playable(svg, unescape(alt), f"film-{next(numbers)}")
        says = f'role="img" aria-label="{alt}"' if alt else 'aria-hidden="true"'
        return svg.replace("<svg", f'<svg class="drawing" {says}', 1)

    return re.sub(r"<img\b[^>]*>", inline, html)
