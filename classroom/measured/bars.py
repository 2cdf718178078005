"""Bars: how much of something each of several things takes, as a picture.

It is light or dark as its reader is, can be printed, and says by shape and words, too, what it
says by colour.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape

from loopfilm.lettering import clean, pixels, shortened, wrapped
from loopfilm.picture import BLUE, BY_NIGHT, FAINT, GREY, INK, MARGIN, PAPER, WIDTH, as_image

from .figures import number
from .svg import FONT, rect, text

# In pixels: the height of a row, of a bar in it, and of a mark at the end of a spread.
ROW, BAR, MARK = 26, 14, 8
WIDEST_NAME = 270.0
LEAST_BARS = 120.0  # pixels; with less room for bars, the words at their ends are shortened


@dataclass(frozen=True)
class Bar:
    """What is drawn of one thing.

    Attributes:
        name: the thing.
        value: how long the bar is; nothing where there is no bar.
        spread: from where to where the line goes that lies on the bar.
        words: what stands at the end of the bar, or in its place.
    """

    name: str
    value: float | None = None
    spread: tuple[float, float] | None = None
    words: str = ""

    @property
    def end(self) -> float:
        """Return how far it reaches to the right."""
        return max(self.value or 0.0, *(self.spread or (0.0,)))


class Picture:
    """A picture for a notebook: an image, and its words for those who do not see it.

    Args:
        svg: the picture, as the text of an SVG file.
        alt: what it says, in words.
    """

    def __init__(self, svg: str, alt: str) -> None:
        self.svg = svg
        self.alt = alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> str:
        return as_image(self.svg, self.alt)


class Bars(Picture):
    """Bars of what has just been measured: the picture has the figures, the words have none.

    Args:
        title: what is compared.
        values: of each thing, by its name, a number, or several of which the median is drawn,
            and a line from the lowest to the highest.
        unit: of the numbers.
        alt: what the picture says on every machine, in words that are compared.
        baseline: the thing that all others are compared with, if there is one.
        width: of the picture, in pixels. A narrow one has larger letters where it is shown as
            wide as a slide.
    """

    def __init__(
        self,
        title: str,
        values: Mapping[str, float | Iterable[float]],
        *,
        unit: str,
        alt: str,
        baseline: str = "",
        width: int = WIDTH,
    ) -> None:
        bars = []
        for name, given in values.items():
            several = [given] if isinstance(given, int | float) else sorted(given)
            median = statistics.median(several)
            words = f"{number(median)} {unit}" + (", baseline" if name == baseline else "")
            spread = (several[0], several[-1]) if len(several) > 1 else None
            bars.append(Bar(name, median, spread, words))
        remark = ""
        if any(bar.spread for bar in bars):
            remark = "The line on a bar goes from the lowest to the highest of several."
        super().__init__(draw(title, bars, baseline=baseline, remark=remark, width=width), alt)


def draw(
    title: str,
    bars: Sequence[Bar],
    *,
    baseline: str = "",
    remark: str = "",
    width: int = WIDTH,
) -> str:
    """Draw bars below each other, each with its name before it and its words at its end.

    Args:
        title: what is compared.
        bars: what is drawn, from top to bottom.
        baseline: the bar that all others are compared with: it is hollow, and a line at its
            end goes through all rows.
        remark: what else is to be said, below.
        width: of the picture, in pixels; that of a film by default.

    Returns:
        The picture, as the text of an SVG file.
    """
    return _Drawing(title, bars, baseline, remark, width).svg()


def stacked(pictures: Sequence[str]) -> str:
    """Return one picture of several that `draw` has made, below each other."""
    inner, y = [], 0
    for picture in pictures:
        inner.append(picture.replace("<svg ", f'<svg y="{y}" ', 1))
        found = re.search(r' height="(\d+)"', picture)
        assert found
        y += int(found[1]) + MARGIN
    y -= MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}"'
        f' viewBox="0 0 {WIDTH} {y}">{"".join(inner)}</svg>\n'
    )


class _Drawing:
    def __init__(
        self, title: str, bars: Sequence[Bar], baseline: str, remark: str, width: int
    ) -> None:
        room = width - 2 * MARGIN
        self.width = width
        self.title = title
        self.heading = wrapped(clean(title), room, 2, partial(pixels, size=13, bold=True))
        self.remark = wrapped(clean(remark), room, 3, pixels) if remark else []
        self.bars, self.baseline = bars, baseline
        bold = partial(pixels, bold=True)
        self.names = [shortened(clean(bar.name), WIDEST_NAME, bold) for bar in bars]
        self.left = MARGIN + 10 + max(map(bold, self.names), default=0.0)
        widest = max((pixels(bar.words) for bar in bars if bar.value is not None), default=0.0)
        self.room = max(width - MARGIN - 10 - widest - self.left, LEAST_BARS)
        self.most = max((bar.end for bar in bars), default=0.0) or 1.0
        self.top = 2 * MARGIN + 20 * len(self.heading)
        self.bottom = self.top + ROW * len(bars)

    def svg(self) -> str:
        """Return the whole of it."""
        height = self.bottom + 16 * len(self.remark) + MARGIN
        label = escape(clean(self.title), quote=True)
        return "".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" class="bars" width="{self.width}"'
                f' height="{height}" viewBox="0 0 {self.width} {height}" role="img"'
                f' aria-label="{label}" {FONT} font-size="12" fill="{INK}">',
                BY_NIGHT,
                f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>',
                *self.texts(self.heading, MARGIN + 14, 20, 'font-size="13" font-weight="600"'),
                rect(self.left - 1, self.top, 1, self.bottom - self.top, FAINT),
                *self.rows(),
                *self.line(),
                *self.texts(self.remark, self.bottom + 16, 16, f'fill="{GREY}"'),
                "</svg>",
            ]
        )

    def texts(self, lines: Iterable[str], y: float, step: float, style: str) -> Iterator[str]:
        for number_, words in enumerate(lines):
            yield text(MARGIN, y + step * number_, words, style)

    def rows(self) -> Iterator[str]:
        for row, (bar, name) in enumerate(zip(self.bars, self.names, strict=True)):
            middle = self.top + ROW * row + ROW / 2
            yield text(MARGIN, middle + 4, name, 'font-weight="600"')
            if bar.value is None:
                words = shortened(clean(bar.words), self.width - MARGIN - 6 - self.left, pixels)
                yield text(self.left + 6, middle + 4, words, f'fill="{GREY}"')
                continue
            width = max(self.x(bar.value) - self.left, 1.0)
            yield rect(self.left, middle - BAR / 2, width, BAR, BLUE)
            if bar.name == self.baseline and width > 6:
                yield rect(self.left + 2, middle - BAR / 2 + 2, width - 4, BAR - 4, PAPER)
            if bar.spread:
                yield from self.spread(bar.spread, middle)
            start = self.x(bar.end) + 6
            words = shortened(clean(bar.words), self.width - MARGIN / 2 - start, pixels)
            yield text(start, middle + 4, words)

    def spread(self, spread: tuple[float, float], middle: float) -> Iterator[str]:
        """Lay a line on a bar, with an edge of paper that parts it from the bar."""
        left, right = map(self.x, spread)
        yield rect(left - 1, middle - 2, right - left + 2, 4, PAPER)
        for x in (left, right):
            yield rect(x - 2, middle - MARK / 2 - 1, 4, MARK + 2, PAPER)
            yield rect(x - 0.75, middle - MARK / 2, 1.5, MARK, INK)
        yield rect(left, middle - 0.75, right - left, 1.5, INK)

    def line(self) -> Iterator[str]:
        """Draw where the baseline ends, in short strokes, between the bars of the rows."""
        for bar in self.bars:
            if bar.name == self.baseline and bar.value is not None:
                x = self.x(bar.value) - 0.5
                for row in range(len(self.bars)):
                    y = self.top + ROW * row
                    for at in (0, ROW - (ROW - BAR) / 2 + 1):
                        yield rect(x, y + at, 1, (ROW - BAR) / 2 - 1, GREY)

    def x(self, value: float) -> float:
        return self.left + self.room * value / self.most
