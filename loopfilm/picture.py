"""Draw who had the event loop, and when, as an SVG picture of one row for each lane.

The drawing knows nothing of asyncio: it is given names and seconds.
"""

from __future__ import annotations

import base64
import math
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

# In pixels; the last three are the height of a row, of a bar in it, and of the line below.
WIDTH, MARGIN, ROW, BAR, LINE = 700, 14, 26, 14, 15
THINNEST = 2.0  # pixels; a shorter step is drawn as wide as this
MOST_ROWS = 12

PAPER, INK, GREY, FAINT = "#fdfdfb", "#1f2933", "#566472", "#e4e7eb"
BLUE, RED, PINK, GREEN = "#1d5fa6", "#c62828", "#fbe3e0", "#0b5f59"

# An edge in the colour of the paper, around words that may lie across a line.
HALO = f'stroke="{PAPER}" stroke-width="4" paint-order="stroke"'

Span = tuple[float, float]


@dataclass
class Row:
    """What one lane did; all times in seconds since the film began.

    Attributes:
        name: whose row it is.
        bars: when it had the thread, in order.
        waited: from when to when somebody waited for it, if anybody did.
    """

    name: str
    bars: list[Span] = field(default_factory=list)
    waited: Span | None = None


def draw(
    rows: Sequence[Row],
    beats: Sequence[float],
    length: float,
    *,
    red: float,
    title: str,
    lines: Mapping[float, str] | None = None,
    excused: Collection[float] = (),
) -> str:
    """Draw a film.

    Args:
        rows: the lanes, from top to bottom. If there are many, only some are drawn; those that
            held the loop come before the others.
        beats: when the heartbeat beat, in seconds since the film began.
        length: how long the film is, in seconds.
        red: a bar longer than this many seconds is red.
        title: what the picture shows, in a sentence or two.
        lines: for a red bar, by when it began, the line at which it stood.
        excused: when long bars began that are not red, since they had no processor.

    Returns:
        The picture, 700 pixels wide, as the text of an SVG file.
    """
    return _Drawing(rows, beats, length, red, title, lines or {}, excused).svg()


def as_image(svg: str, alt: str) -> str:
    """Return a picture as HTML that a notebook shows even if it is not trusted.

    Args:
        svg: the picture.
        alt: what is to be seen in it, in words.
    """
    data = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(alt, quote=True)}">'


class _Drawing:
    def __init__(
        self,
        rows: Sequence[Row],
        beats: Sequence[float],
        length: float,
        red: float,
        title: str,
        lines: Mapping[float, str],
        excused: Collection[float],
    ) -> None:
        self.red = red
        self.lines, self.excused = lines, excused
        self.held = [bar for row in rows for bar in self.red_of(row)]
        order = sorted(range(len(rows)), key=lambda number: not self.red_of(rows[number]))
        self.rows = [rows[number] for number in sorted(order[:MOST_ROWS])]
        self.hidden = len(rows) - len(self.rows)
        self.beats = beats
        self.length = max(length, 0.001)
        self.title = title
        # In bold type of the widest system fonts, 84 letters still fit into the picture.
        self.title_lines = textwrap.wrap(title, 84, max_lines=2, placeholder=" …") or [""]
        longest = max([9, *(len(_short(row.name)) for row in self.rows)])
        self.left = MARGIN + 10 + 7.2 * longest
        self.top = 2 * MARGIN + 20 * len(self.title_lines) + 24
        self.tops = [self.top]
        for row in self.rows:
            has_line = any(bar[0] in lines for bar in self.red_of(row))
            self.tops.append(self.tops[-1] + ROW + LINE * has_line)
        self.bottom = self.tops[-1] + ROW * (bool(self.hidden) + 1) + 6

    def red_of(self, row: Row) -> list[Span]:
        """Return the bars of a row that held the loop."""
        return [bar for bar in _long(row.bars, self.red) if bar[0] not in self.excused]

    def svg(self) -> str:
        height = self.bottom + 34
        label = escape(_clean(self.title), quote=True)
        return "".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}"'
                f' viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{label}"'
                f" font-family=\"system-ui, -apple-system, 'Segoe UI', sans-serif\""
                f' font-size="12" fill="{INK}">',
                f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>',
                '<g class="heading">',
                *self.heading(),
                # For whoever animates the picture: where the film is, and how long it lasts.
                f'</g><g class="film" data-seconds="{self.length:.3f}"'
                f' data-start="{self.x(0):.1f}" data-end="{self.x(self.length):.1f}"'
                f' data-top="{self.top:g}" data-bottom="{self.bottom:g}">',
                *self.pauses(),
                *self.axis(),
                *self.lanes(),
                *self.heartbeat(),
                "</g></svg>",
            ]
        )

    def heading(self) -> Iterator[str]:
        for number, line in enumerate(self.title_lines):
            yield _text(MARGIN, MARGIN + 14 + 20 * number, line, 'font-size="13"', bold=True)
        y = self.top - MARGIN - 8
        x = float(MARGIN)
        for sample, words in (
            (_rect(0, -10, 16, 10, BLUE), "has the thread"),
            (_rect(0, -6, 16, 2, GREY), "waits"),
            (_rect(0, -10, 16, 10, RED), f"has it longer than {self.red:g} s"),
            (_ticks([2, 8, 14], -10, 10), "heartbeat: in a gap everybody waits"),
        ):
            yield f'<g transform="translate({x:.0f} {y:.0f})">{sample}'
            yield _text(22, 0, words, f'fill="{GREY}"') + "</g>"
            x += 22 + 6.4 * len(words) + 24

    def pauses(self) -> Iterator[str]:
        # Across all rows: everybody waits while one holds the loop.
        for x, width in self.merged(self.held):
            yield _rect(x, self.top, width, self.bottom - self.top, PINK)

    def axis(self) -> Iterator[str]:
        for at in _round_times(self.length):
            x = self.x(at)
            yield _rect(x - 0.5, self.top, 1, self.bottom - self.top, FAINT)
            words = f"{at:g} s" if at else "0"
            yield _text(x, self.bottom + 17, words, f'fill="{GREY}" text-anchor="middle"')

    def lanes(self) -> Iterator[str]:
        for row, top in zip(self.rows, self.tops, strict=False):
            middle, red = top + ROW / 2, self.red_of(row)
            yield _text(MARGIN, middle + 4, _short(row.name), bold=True)
            if row.waited:
                x, width = self.across(row.waited)
                yield _rect(x, middle - 1, width, 2, GREY)
            quick = [bar for bar in row.bars if bar not in red]
            yield _path(self.merged(quick), middle - BAR / 2, BAR, BLUE)
            for bar in _long(quick, self.red):
                yield from self.words_at(bar, middle, "no processor", BLUE)
            for bar in red:
                x, width = self.across(bar)
                yield _rect(x, middle - BAR / 2 - 2, width, BAR + 4, RED)
                yield from self.words_at(bar, middle, f"held {bar[1] - bar[0]:.1f} s", RED)
            yield from self.lines_below(red, top + ROW + LINE - 5)
        if self.hidden:
            middle = self.tops[-1] + ROW / 2
            yield _text(MARGIN, middle + 4, f"and {self.hidden} more", f'fill="{GREY}"')

    def words_at(self, bar: Span, middle: float, words: str, colour: str) -> Iterator[str]:
        """Write on a bar, or beside it if it is too short."""
        x, width = self.across(bar)
        needed = 6.6 * len(words)
        if width > needed:
            style, at = 'fill="#fff" text-anchor="middle"', x + width / 2
        elif x + width + needed < WIDTH:
            style, at = f'fill="{colour}" {HALO}', x + width + 4
        else:
            style, at = f'fill="{colour}" {HALO} text-anchor="end"', x - 4
        yield _text(at, middle + 4, words, style, bold=True)

    def lines_below(self, bars: Iterable[Span], y: float) -> Iterator[str]:
        """Write below red bars where they stood, as far as there is room."""
        free = float(MARGIN)
        for bar in bars:
            words = self.lines.get(bar[0], "")
            x, width = self.across(bar)[0], 6.2 * len(words)
            x = min(x, WIDTH - MARGIN - width)
            if words and x >= free:
                yield _text(x, y, words, f'fill="{RED}" font-size="11" {HALO}')
                free = x + width + 10

    def heartbeat(self) -> Iterator[str]:
        middle = self.bottom - 6 - ROW / 2
        yield _text(MARGIN, middle + 4, "heartbeat", f'fill="{GREEN}"')
        drawn: list[float] = []
        for beat in self.beats:
            x = self.x(beat)
            # Nearer to each other they would look like a bar, and hide the gaps.
            if not drawn or x - drawn[-1] >= 4:
                drawn.append(x)
        yield _ticks(drawn, middle - 5, 10)
        for start, end in pairwise([0.0, *self.beats, self.length]):
            x, width = self.across((start, end))
            if end - start > self.red and width > 90:
                is_held = any(start < bar[1] and bar[0] < end for bar in self.held)
                style = f'fill="{RED if is_held else GREY}" text-anchor="middle"'
                yield _text(x + width / 2, middle + 4, f"none for {end - start:.1f} s", style)

    def x(self, at: float) -> float:
        return self.left + (WIDTH - MARGIN - 10 - self.left) * at / self.length

    def across(self, span: Span) -> tuple[float, float]:
        """Return where a span begins, and how wide it is, never too thin to be seen."""
        x = self.x(span[0])
        return x, max(self.x(span[1]) - x, THINNEST)

    def merged(self, bars: Iterable[Span]) -> list[Span]:
        """Join bars that nobody could tell apart, since a film has thousands of steps."""
        joined: list[Span] = []
        for x, width in map(self.across, bars):
            if joined and x - sum(joined[-1]) < 0.75:
                joined[-1] = (joined[-1][0], max(x + width - joined[-1][0], joined[-1][1]))
            else:
                joined.append((x, width))
        return joined


def _long(bars: Iterable[Span], red: float) -> list[Span]:
    return [bar for bar in bars if bar[1] - bar[0] > red]


def _round_times(length: float) -> list[float]:
    """Return up to seven round times between 0 and a length, in seconds."""
    least = length / 6
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= least)
    return [round(step * n, 9) for n in range(int(length / step + 1e-9) + 1)]


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"


def _clean(words: str) -> str:
    """Replace what an XML file may not hold: a client may choose the name of its lane."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words
    )


def _text(x: float, y: float, words: str, style: str = "", *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}{weight}>{escape(_clean(words))}</text>'


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:g}"'
        f' fill="{colour}"/>'
    )


def _path(bars: Iterable[Span], y: float, height: float, colour: str) -> str:
    """Draw bars of one colour as one shape, which takes a third of the bytes."""
    shape = "".join(f"M{x:.1f} {y:g}h{width:.1f}v{height:g}h-{width:.1f}" for x, width in bars)
    return f'<path d="{shape}" fill="{colour}"/>' if shape else ""


def _ticks(places: Iterable[float], y: float, height: float) -> str:
    shape = "".join(f"M{x:.1f} {y:g}v{height:g}" for x in places)
    return f'<path d="{shape}" stroke="{GREEN}" stroke-width="1.5"/>' if shape else ""
