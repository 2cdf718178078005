"""Draw who had the event loop, and when, as an SVG picture of one row for each lane.

The drawing knows nothing of asyncio: it is given names and seconds.
"""

from __future__ import annotations

import base64
import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import nlargest
from html import escape
from itertools import pairwise
from typing import NamedTuple

from .lettering import clean, pixels, shortened, wrapped

# In pixels; the last three are the height of a row, of a bar in it, and of a line below.
WIDTH, MARGIN, ROW, BAR, LINE = 700, 14, 26, 14, 15
READABLE = 600  # pixels; narrower, its letters would be too small
THINNEST = 2.0  # pixels; a shorter step is drawn as wide as this
NEAREST = 0.75  # pixels; nobody could tell two bars apart that are nearer to each other
MOST_ROWS = 12
MOST_NAME = 22  # columns of a name, and pixels
WIDEST_NAME = 192.0
MOST_LINES = 3  # below a row
MOST_MARKED = 40  # red bars, and pauses, that say what they are, in one picture
MOST_HOVER = 200  # letters of what one of them says

PAPER, INK, GREY, FAINT = "#fdfdfb", "#1f2933", "#566472", "#e4e7eb"
BLUE, RED, PINK, GREEN = "#1d5fa6", "#c62828", "#fbe3e0", "#0b5f59"
ON_BARS = "#fff"

# The same by night. Words have other colours than bars of their colour, on which words stand.
DARK = {
    PAPER: "#14191f",
    INK: "#e8edf1",
    GREY: "#a9b6c2",
    FAINT: "#2f3943",
    BLUE: "#3676bd",
    RED: "#d13d37",
    PINK: "#381a19",
    GREEN: "#6fd3c4",
}
DARK_WORDS = {BLUE: "#8fbdf7", RED: "#ff9a90"}

# An edge in the colour of the paper, around words that may lie across a line.
HALO = f'stroke="{PAPER}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
# The same, wide enough to cover a line between two words.
WIDE_HALO = HALO.replace('"4"', '"6"')


def _by_night() -> str:
    rules = [f'[fill="{day}"]{{fill:{night}}}' for day, night in DARK.items()]
    rules += [f'[stroke="{day}"]{{stroke:{DARK[day]}}}' for day in (PAPER, GREEN)]
    rules += [f'text[fill="{day}"]{{fill:{night}}}' for day, night in DARK_WORDS.items()]
    return f"<style>@media (prefers-color-scheme:dark){{{''.join(rules)}}}</style>"


# A picture follows the reader's system, wherever it is shown.
BY_NIGHT = _by_night()

# What has no use in a picture within a page, see `as_image`.
ALONE = re.compile(r'<rect class="wait".*?</rect>|<title>.*?</title>|<style>.*?</style>', re.S)

# JupyterLab has a light of its own, and so have the pages that nbconvert makes.
IN_LAB = "[data-jp-theme-light=false] .loopfilm img{filter:invert(1) hue-rotate(180deg)}"

Span = tuple[float, float]
Placed = tuple[float, str, str]  # from left, the words, their style


@dataclass
class Row:
    """What one lane did; all times in seconds since the film began.

    Attributes:
        name: whose row it is.
        bars: when it had the thread, in order.
        waited: from when to when somebody waited for it, if anybody did.
        pauses: its longer pauses, from when to when, and what it waited for: whatever `str`
            makes words of, if anything.
    """

    name: str
    bars: Sequence[Span] = field(default_factory=list)
    waited: Span | None = None
    pauses: Sequence[tuple[float, float, object]] = ()


class Note(NamedTuple):
    """What is known of a long bar.

    Attributes:
        seconds: how long it held the loop, without the time in which it had no processor.
        line: what to write below it.
        more: what it says to whoever points at it.
    """

    seconds: float
    line: str = ""
    more: str = ""


def draw(
    rows: Sequence[Row],
    beats: Sequence[float],
    length: float,
    *,
    red: float,
    title: str,
    notes: Mapping[float, Note] | None = None,
    remark: str = "",
    axis: float = 0,
) -> str:
    """Draw a film.

    Args:
        rows: the lanes, from top to bottom. If there are many, only some are drawn; those that
            held the loop come before the others.
        beats: when the heartbeat beat, in seconds since the film began.
        length: how long the film is, in seconds.
        red: a bar longer than this many seconds is red.
        title: what the picture shows, in a sentence or two.
        notes: what is known of long bars, by when they began. A bar that held the loop for no
            longer than `red`, since it had no processor for the rest, is not red.
        remark: what else is to be said, below the picture.
        axis: how many seconds there is room for, at least, so that films can be compared.

    Returns:
        The picture, 700 pixels wide, as the text of an SVG file. It is light or dark as the
        reader's system is.
    """
    return _Drawing(rows, beats, length, red, title, notes or {}, remark, axis).svg()


def as_image(svg: str, alt: str) -> str:
    """Return a picture as HTML that a notebook shows even if it is not trusted.

    It is dark where JupyterLab is, and does not follow the system. In a narrow window it can be
    read, and is scrolled. Nobody can point at what is in it.

    Args:
        svg: the picture.
        alt: what is to be seen in it, in words.
    """
    data = base64.b64encode(ALONE.sub("", svg).encode()).decode()
    return (
        f'<div class="loopfilm" style="overflow-x: auto"><style>{IN_LAB}</style>'
        f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(alt, quote=True)}"'
        f' style="min-width: {READABLE}px; max-width: 100%; height: auto"></div>'
    )


class _Marked:
    """A row with its long bars sorted out, and with room for what is written below it."""

    def __init__(self, row: Row, red: float, notes: Mapping[float, Note]) -> None:
        self.row = row
        self.name = _short(row.name)
        self.red: list[Span] = []
        self.excused: list[Span] = []
        for bar in row.bars:
            if bar[1] - bar[0] > red:
                note = notes.get(bar[0])
                held = note is None or note.seconds > red
                (self.red if held else self.excused).append(bar)
        self.quick = row.bars
        if self.red:
            starts = {bar[0] for bar in self.red}
            self.quick = [bar for bar in row.bars if bar[0] not in starts]
        self.words: list[Placed] = []  # on its bars and beside them
        self.below: list[list[Placed]] = []  # in each line below it


class _Drawing:
    def __init__(
        self,
        rows: Sequence[Row],
        beats: Sequence[float],
        length: float,
        red: float,
        title: str,
        notes: Mapping[float, Note],
        remark: str,
        axis: float,
    ) -> None:
        self.limit = red
        self.remark = remark
        self.notes = notes
        marked = [_Marked(row, red, notes) for row in rows]
        self.held = sorted(bar for row in marked for bar in row.red)
        order = sorted(range(len(marked)), key=lambda number: not marked[number].red)
        self.rows = [marked[number] for number in sorted(order[:MOST_ROWS])]
        self.hidden = len(rows) - len(self.rows)
        self.beats = beats
        self.length = max(length, 0.001)
        self.seconds_of_axis = max(self.length, axis)
        self.title = title
        heading = partial(pixels, size=13, bold=True)
        self.title_lines = wrapped(clean(title), WIDTH - 2 * MARGIN, 2, heading)
        widest = max([pixels("heartbeat"), *(pixels(row.name, bold=True) for row in self.rows)])
        self.left = MARGIN + 10 + widest
        drawn = [bar for row in self.rows for bar in row.red]
        self.marked = set(nlargest(MOST_MARKED, drawn, key=self.seconds))
        pauses = [pause for row in self.rows for pause in row.row.pauses]
        longest = nlargest(MOST_MARKED, pauses, key=lambda pause: pause[1] - pause[0])
        self.pauses = {(pause[0], pause[1]) for pause in longest}
        self.top = 2 * MARGIN + 20 * len(self.title_lines) + 24
        self.tops = [float(self.top)]
        for row in self.rows:
            self.write(row)
            self.tops.append(self.tops[-1] + ROW + LINE * len(row.below))
        self.bottom = self.tops[-1] + ROW * (bool(self.hidden) + 1) + 6

    def seconds(self, bar: Span) -> float:
        """Return how long a bar held the loop."""
        note = self.notes.get(bar[0])
        return note.seconds if note else bar[1] - bar[0]

    # -- words that may have no room -----------------------------------------------------------

    def write(self, row: _Marked) -> None:
        """Find a place for what is to be said of the long bars of a row."""
        taken = [self.edges(bar) for bar in row.red]
        untold = [bar for bar in row.red if bar not in self.marked]
        for bar in sorted(self.marked.intersection(row.red), key=self.seconds, reverse=True):
            words = f"held {_time(self.seconds(bar))}"
            if not self.beside(row, bar, words, RED, taken):
                untold.append(bar)
        for bar in nlargest(MOST_MARKED, row.excused, key=lambda bar: bar[1] - bar[0]):
            self.beside(row, bar, "no processor", BLUE, taken)
        self.write_below(row, untold)

    def beside(
        self, row: _Marked, bar: Span, words: str, colour: str, taken: list[Span]
    ) -> bool:
        """Write on a bar, or beside it if it is too short, if there is room.

        Args:
            row: the row.
            bar: the bar.
            words: what to write.
            colour: in which colour, beside the bar.
            taken: where there is no room, from left to right; what is written is added.

        Returns:
            Whether there was room.
        """
        left, right = self.edges(bar)
        needed = pixels(words, bold=True)
        if right - left > needed + 4:
            middle = f'fill="{ON_BARS}" text-anchor="middle"'
            row.words.append(((left + right) / 2, words, middle))
            return True
        style = f'fill="{colour}" {WIDE_HALO}'
        for start, at, anchor in (
            (right + 4, right + 4, ""),
            (left - 4 - needed, left - 4, ' text-anchor="end"'),
        ):
            end = start + needed
            is_free = all(end < other[0] or other[1] < start for other in taken)
            if is_free and start > self.left and end < WIDTH - MARGIN / 2:
                row.words.append((at, words, style + anchor))
                taken.append((start, end))
                return True
        return False

    def write_below(self, row: _Marked, untold: Sequence[Span]) -> None:
        """Find a place below a row for where its red bars stood.

        Args:
            row: the row.
            untold: those of which it is not yet said how long they are.
        """
        entries: dict[str, float] = {}
        if untold:
            total = _time(sum(map(self.seconds, row.red)))
            times = f"{len(row.red)} times, {total} in all" if len(row.red) > 1 else total
            entries[f"held {times}"] = self.x(row.red[0][0])
        for bar in row.red:
            note = self.notes.get(bar[0])
            if note and note.line:
                entries.setdefault(clean(note.line), self.x(bar[0]))
        small = partial(pixels, size=11)
        style = f'class="below" fill="{RED}" font-size="11" {HALO}'
        free: list[float] = []  # in each line, where there is room
        without_room = 0
        for words, x in entries.items():
            words = shortened(words, WIDTH - 2 * MARGIN, small)
            x = min(x, WIDTH - MARGIN - small(words))
            number = next((n for n, at in enumerate(free) if at <= x), len(free))
            if number == MOST_LINES:
                without_room += 1
                continue
            if number == len(free):
                free.append(0)
                row.below.append([])
            row.below[number].append((x, words, style))
            free[number] = x + small(words) + 14
        if without_room:
            x, words = row.below[0][0][0], f"and {without_room} more places"
            x = min(x, WIDTH - MARGIN - small(words))
            row.below.append([(x, words, style)])

    # -- the picture ---------------------------------------------------------------------------

    def svg(self) -> str:
        """Return the whole of it."""
        height = self.bottom + 34 + 20 * bool(self.remark)
        label = escape(clean(f"{self.title} {self.remark}".strip()), quote=True)
        return "".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}"'
                f' viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{label}"'
                f" font-family=\"system-ui, -apple-system, 'Segoe UI', sans-serif\""
                f' font-size="12" fill="{INK}">',
                BY_NIGHT,
                f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>',
                '<g class="heading">',
                *self.heading(),
                # For whoever animates the picture: where the film is, and how long it lasts;
                # and for whoever has no room for the lines below the rows, where these are.
                f'</g><g class="film" data-seconds="{self.length:.3f}"'
                f' data-axis="{self.seconds_of_axis:.3f}"'
                f' data-start="{self.x(0):.1f}" data-end="{self.x(self.length):.1f}"'
                f' data-top="{self.top:g}" data-bottom="{self.bottom:g}"'
                f' data-below="{self.below()}">',
                *self.standstill(),
                *self.axis(),
                *self.lanes(),
                *self.heartbeat(),
                "</g>",
                *self.footing(),
                "</svg>",
            ]
        )

    def below(self) -> str:
        """Return where the lines below rows begin and end, from top to bottom."""
        ends = [
            (end - LINE * len(row.below), end)
            for row, end in zip(self.rows, self.tops[1:], strict=True)
        ]
        return " ".join(f"{start:g}-{end:g}" for start, end in ends if start < end)

    def heading(self) -> Iterator[str]:
        for number, line in enumerate(self.title_lines):
            yield _text(MARGIN, MARGIN + 14 + 20 * number, line, 'font-size="13"', bold=True)
        y = self.top - MARGIN - 8
        x = float(MARGIN)
        for sample, words in (
            (_rect(0, -10, 16, 10, BLUE), "has the thread"),
            (_rect(0, -6, 16, 2, GREY), "waits"),
            (_rect(0, -10, 16, 10, RED), f"has it longer than {self.limit:g} s"),
            (_ticks([2, 8, 14], -10, 10), "heartbeat: in a gap everybody waits"),
        ):
            yield f'<g transform="translate({x:.0f} {y:.0f})">{sample}'
            yield _text(22, 0, words, f'fill="{GREY}"') + "</g>"
            x += 22 + 6.4 * len(words) + 24

    def standstill(self) -> Iterator[str]:
        # Across all rows: everybody waits while one holds the loop.
        shape, height = self.merged(self.held), self.bottom - self.top
        if len(shape) > MOST_MARKED:
            yield _path(shape, self.top, height, PINK)
        else:
            for left, right in shape:
                yield _rect(left, self.top, right - left, height, PINK)

    def axis(self) -> Iterator[str]:
        for at in _round_times(self.seconds_of_axis):
            x = self.x(at)
            yield _rect(x - 0.5, self.top, 1, self.bottom - self.top, FAINT)
            words = f"{at:g} s" if at else "0"
            yield _text(x, self.bottom + 17, words, f'fill="{GREY}" text-anchor="middle"')

    def lanes(self) -> Iterator[str]:
        for row, top in zip(self.rows, self.tops, strict=False):
            middle = top + ROW / 2
            yield _text(MARGIN, middle + 4, row.name, bold=True)
            if row.row.waited:
                left, right = self.edges(row.row.waited)
                yield _rect(left, middle - 1, right - left, 2, GREY)
            yield from self.waiting(row, middle - BAR / 2)
            yield _path(self.merged(row.quick), middle - BAR / 2, BAR, BLUE)
            others = [bar for bar in row.red if bar not in self.marked]
            yield _path(self.merged(others), middle - BAR / 2 - 2, BAR + 4, RED)
            for bar in sorted(self.marked.intersection(row.red)):
                left, right = self.edges(bar)
                note = self.notes.get(bar[0])
                more = _title(note.more) if note and note.more else ""
                yield _rect(left, middle - BAR / 2 - 2, right - left, BAR + 4, RED, more)
            for x, words, style in row.words:
                yield _text(x, middle + 4, words, style, bold=True)
            for number, line in enumerate(row.below):
                for x, words, style in line:
                    yield _text(x, top + ROW + LINE * (number + 1) - 5, words, style)
        if self.hidden:
            middle = self.tops[-1] + ROW / 2
            yield _text(MARGIN, middle + 4, f"and {self.hidden} more", f'fill="{GREY}"')

    def waiting(self, row: _Marked, y: float) -> Iterator[str]:
        """Let whoever points at a long pause read what it is: a line is hard to hit."""
        for start, end, what in row.row.pauses:
            if (start, end) in self.pauses:
                left, right = self.edges((start, end))
                words = f"{row.row.name} waited {_time(end - start)}"
                more = _title(": ".join(filter(None, [words, str(what)])))
                yield (
                    f'<rect class="wait" x="{left:.1f}" y="{y:g}" width="{right - left:.1f}"'
                    f' height="{BAR}" fill="none" pointer-events="all">{more}</rect>'
                )

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
            if end - start > self.limit:
                left, right = self.edges((start, end))
                words = f"none for {_time(end - start)}"
                if right - left > pixels(words) + 10:
                    is_held = any(start < bar[1] and bar[0] < end for bar in self.held)
                    style = f'fill="{RED if is_held else GREY}" text-anchor="middle"'
                    yield _text((left + right) / 2, middle + 4, words, style)

    def footing(self) -> Iterator[str]:
        if self.remark:
            yield _text(MARGIN, self.bottom + 40, clean(self.remark), f'fill="{GREY}"')

    # -- where things are ----------------------------------------------------------------------

    def x(self, at: float) -> float:
        return self.left + (WIDTH - MARGIN - 10 - self.left) * at / self.seconds_of_axis

    def edges(self, span: Span) -> Span:
        """Return where a span begins and ends, never too near to be seen."""
        left = self.x(span[0])
        return left, max(self.x(span[1]), left + THINNEST)

    def merged(self, bars: Sequence[Span]) -> list[Span]:
        """Join bars that nobody could tell apart, since a film has thousands of steps.

        Args:
            bars: the bars, in order, none of them within another.

        Returns:
            From where to where there are bars.
        """
        joined: list[Span] = []
        second = (self.x(self.length) - self.left) / self.length  # in pixels
        number = 0
        while number < len(bars):
            left, right = self.edges(bars[number])
            number += 1
            # All that begin before the end of this one, or hardly later, at once.
            while number < len(bars):
                end = (right + NEAREST - self.left) / second
                next_one = bisect_right(bars, (end,), number)
                if next_one == number:
                    break
                right = max(right, self.edges(bars[next_one - 1])[1])
                number = next_one
            joined.append((left, right))
        return joined


def _round_times(length: float) -> list[float]:
    """Return up to seven round times between 0 and a length, in seconds."""
    least = length / 6
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= least)
    return [round(step * n, 9) for n in range(int(length / step + 1e-9) + 1)]


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds * 1000:.2g} ms"


def _short(name: str) -> str:
    name = shortened(clean(name), MOST_NAME)
    return shortened(name, WIDEST_NAME, partial(pixels, bold=True))


def _text(x: float, y: float, words: str, style: str = "", *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}{weight}>{escape(words)}</text>'


def _title(words: str) -> str:
    return f"<title>{escape(shortened(clean(words), MOST_HOVER, len))}</title>"


def _rect(
    x: float, y: float, width: float, height: float, colour: str, within: str = ""
) -> str:
    shape = f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:g}"'
    end = f">{within}</rect>" if within else "/>"
    return f'{shape} fill="{colour}"{end}'


def _path(bars: Iterable[Span], y: float, height: float, colour: str) -> str:
    """Draw bars of one colour as one shape, which takes a third of the bytes."""
    shape = "".join(
        f"M{left:.1f} {y:g}h{right - left:.1f}v{height:g}h-{right - left:.1f}"
        for left, right in bars
    )
    return f'<path d="{shape}" fill="{colour}"/>' if shape else ""


def _ticks(places: Iterable[float], y: float, height: float) -> str:
    shape = "".join(f"M{x:.1f} {y:g}v{height:g}" for x in places)
    return f'<path d="{shape}" stroke="{GREEN}" stroke-width="1.5"/>' if shape else ""
