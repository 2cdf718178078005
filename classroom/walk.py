"""Who asked whom, in their order, as text and as a picture.

walk = Walk(["browser → app: GET /sign-in", "app → provider: GET /keys"])
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from loopfilm.lettering import clean, pixels, shortened
from loopfilm.picture import BLUE, BY_NIGHT, FAINT, GREY, INK, MARGIN, PAPER, WIDTH, as_image

# In pixels: the size of the letters, a row, how wide what is asked may be, and an arrow's head.
SIZE, ROW, WIDEST, HEAD = 12, 24, 330, 8


class Walk(list[str]):
    """Lines such as "browser → app: GET /sign-in", to which more are appended.

    A notebook shows a column for each who takes part, in the order of their coming, and an
    arrow for each line. A line of another form has no arrow.
    """

    def __repr__(self) -> str:
        """Return the lines, which is what a notebook without pictures shows."""
        return "\n".join(self)

    def _repr_html_(self) -> str | None:
        return as_image(self.svg(), "; ".join(map(clean, self))) if self else None

    def svg(self) -> str:
        """Return the picture, 700 pixels wide, as the text of an SVG file."""
        height = 2 * MARGIN + ROW * (len(self) + 1)
        drawn = "".join(self._drawn(MARGIN + ROW, height - MARGIN))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="{SIZE}">'
            f"{BY_NIGHT}{_rect(0, 0, WIDTH, height, PAPER)}{drawn}</svg>"
        )

    def _drawn(self, top: int, bottom: int) -> Iterator[str]:
        steps = [_parts(line) for line in self]
        people = dict.fromkeys(who for one, other, _ in steps for who in (one, other) if other)
        wide = (WIDTH - MARGIN - WIDEST) / max(len(people), 1)
        at = {who: WIDEST + wide * (place + 0.5) for place, who in enumerate(people)}
        for who, x in at.items():
            yield _text(x, top - 8, who, wide, f'fill="{INK}" font-weight="bold"')
            yield _rect(x, top, 1, bottom - top, FAINT)
        for row, (one, other, what) in enumerate(steps):
            y = top + ROW * (row + 0.5)
            yield _text(MARGIN, y + 4, what, WIDEST - MARGIN, f'fill="{INK}"')
            if other:
                yield from _arrow(at[one], at[other], y)


def _parts(line: str) -> tuple[str, str, str]:
    """Return who asks, who is asked, and what; the first two are empty where it is not told."""
    one, arrow, rest = line.partition(" → ")
    other, colon, what = rest.partition(": ")
    return (one, other, what) if arrow and colon else ("", "", line)


def _arrow(start: float, end: float, y: float) -> Iterator[str]:
    """Draw one; who asks themselves has a point."""
    yield f'<circle cx="{start:g}" cy="{y:g}" r="3" fill="{GREY}"/>'
    if start != end:
        back = HEAD if end > start else -HEAD
        # The line ends within the head, which is pointed.
        yield _rect(min(start, end - back / 2), y - 1, abs(end - start) - HEAD / 2, 2, BLUE)
        shape = f"M{end:g} {y:g}l{-back} {-HEAD / 2:g}v{HEAD}z"
        yield f'<path d="{shape}" fill="{BLUE}"/>'


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}"/>'


def _text(x: float, y: float, words: str, room: float, style: str) -> str:
    """Write words, in the middle of a column if they are bold."""
    bold = "bold" in style
    fits = shortened(clean(words), room, lambda each: pixels(each, SIZE, bold=bold))
    middle = ' text-anchor="middle"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" {style}{middle}>{escape(fits)}</text>'
