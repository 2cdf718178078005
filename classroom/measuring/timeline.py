"""A picture of those who wait: for each question a line, from its beginning to its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from loopfilm.lettering import clean
from loopfilm.picture import BLUE, BY_NIGHT, FAINT, GREY, INK, MARGIN, PAPER, RED, WIDTH

from ..measured import Picture
from ..measured.svg import FONT, rect, text

STEP, BAR = 9, 5  # pixels from line to line, and the height of one
HEADING, AXIS = 30, 24
SHORTEST = 2.0

Waits = Sequence[tuple[float, float]]


class Timeline(Picture):
    """Draws who has waited, and from when to when; the words have no figures.

    Args:
        title: what is seen.
        waits: for each client, by its name, of each question when it was asked, or due, and
            when it was answered, in seconds. Each client has a clock of its own.
        slow: in seconds; what waits for longer is drawn apart, and counted in the picture.
        alt: what the picture says on every machine, in words that are compared.
    """

    def __init__(
        self, title: str, waits: Mapping[str, Waits], *, slow: float, alt: str
    ) -> None:
        ends = [answered for each in waits.values() for _, answered in each]
        self._slow = slow
        self._scale = (WIDTH - 2 * MARGIN) / (max(ends, default=0.0) or 1.0)
        parts = [*self._parts(waits)]
        lines = sum(map(len, waits.values()))
        height = 2 * MARGIN + 14 + HEADING * len(waits) + STEP * lines + AXIS
        label = escape(clean(title), quote=True)
        bottom = height - MARGIN - AXIS + 6
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
            f' viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}" {FONT}'
            f' font-size="12" fill="{INK}">{BY_NIGHT}'
            f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>'
            + text(MARGIN, MARGIN + 12, title, 'font-size="13" font-weight="600"')
            + "".join(parts)
            + "".join(self._axis(max(ends, default=0.0), bottom))
            + "</svg>"
        )
        super().__init__(svg, alt)

    def _parts(self, waits: Mapping[str, Waits]) -> Iterator[str]:
        y = MARGIN + 14
        for name, each in waits.items():
            late = sum(answered - asked > self._slow for asked, answered in each)
            heading = f"{name}: {late} of {len(each)} waited for longer than {self._slow:g} s"
            yield text(MARGIN, y + 20, heading)
            y += HEADING
            for asked, answered in each:
                left, right = MARGIN + asked * self._scale, MARGIN + answered * self._scale
                width = max(right - left, SHORTEST)
                is_slow = answered - asked > self._slow
                yield rect(left, y, width, BAR, RED if is_slow else BLUE)
                if is_slow:
                    # For whoever does not see red: it is hollow, too.
                    yield rect(left + 1.5, y + 1.5, width - 3, BAR - 3, PAPER)
                y += STEP

    def _axis(self, end: float, y: float) -> Iterator[str]:
        yield rect(MARGIN, y, WIDTH - 2 * MARGIN, 1, FAINT)
        half_seconds = int(end * 2)
        for n in range(0, half_seconds + 1, max(1, half_seconds // 10)):
            x = MARGIN + n / 2 * self._scale
            yield rect(x, y, 1, 4, GREY)
            if x < WIDTH - MARGIN - 30:
                yield text(x, y + 17, f"{n / 2:g} s", f'fill="{GREY}"')
