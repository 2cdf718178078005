"""A pen that draws as a hand does: no line is quite straight, and no circle quite closes.

It writes SVG in the colours of the page around it, and in those of day where there is none.
"""

from __future__ import annotations

import math
import random

Point = tuple[float, float]

INK = "var(--ink, #17212b)"
PAPER = "var(--paper, #fbfaf5)"
GREY = "var(--grey, #45525f)"
BOLT = "var(--bolt, #eba90f)"
BLUE = "var(--blue, #1d4f91)"
SAIL = "var(--now, #0a5650)"
RED = "var(--red, #9c1f18)"
NONE = "none"

SANS = "system-ui, sans-serif"


class Pen:
    """Draws on a sheet of its own; what is drawn later lies above.

    Args:
        width: of the sheet, in its own units.
        height: of the sheet.
        seed: how the hand trembles; the same seed gives the same picture.
    """

    def __init__(self, width: int, height: int, seed: int) -> None:
        self.width = width
        self.height = height
        self.hand = random.Random(seed)
        self.shapes: list[str] = []

    def line(self, *points: Point, ink: str = INK, width: float = 4) -> None:
        """Draw from point to point, with round corners."""
        self._path(_smooth(self._tremble(points)), NONE, ink, width)

    def straight(self, *points: Point, ink: str = INK, width: float = 4) -> None:
        """Draw from point to point, with a corner at each."""
        shaken = self._tremble(points)
        path = "M" + "L".join(_at(point) for point in shaken)
        self._path(path, NONE, ink, width)

    def shape(
        self, *points: Point, fill: str = PAPER, ink: str = INK, width: float = 4
    ) -> None:
        """Draw a closed shape with corners."""
        path = "M" + "L".join(_at(point) for point in self._tremble(points)) + "Z"
        self._path(path, fill, ink, width)

    def blob(self, *points: Point, fill: str = PAPER, ink: str = INK, width: float = 4) -> None:
        """Draw a closed shape without corners."""
        self._path(_smooth(self._tremble(points), closed=True), fill, ink, width)

    def oval(
        self,
        x: float,
        y: float,
        across: float,
        down: float,
        *,
        fill: str = PAPER,
        ink: str = INK,
        width: float = 4,
    ) -> None:
        """Draw an ellipse around its middle; `across` and `down` are its two radii."""
        points = [
            (x + across * math.cos(turn), y + down * math.sin(turn))
            for turn in (math.tau * step / 9 for step in range(9))
        ]
        # A small oval would lose its shape.
        most = min(1.6, max(across, down) / 18)
        self._path(_smooth(self._tremble(points, most), closed=True), fill, ink, width)

    def dot(self, x: float, y: float, radius: float, ink: str = INK) -> None:
        """Draw a small full circle."""
        self.shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{ink}"/>')

    def word(self, x: float, y: float, letters: str, size: float) -> None:
        """Write a word around a point of its line."""
        self.shapes.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{INK}" text-anchor="middle"'
            f' font-family="{SANS}">{letters}</text>'
        )

    def svg(self) -> str:
        """Return the picture as an SVG file."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            f' width="{self.width}" height="{self.height}"'
            ' stroke-linecap="round" stroke-linejoin="round">'
            f'<rect width="100%" height="100%" fill="{PAPER}"/>'
            + "".join(self.shapes)
            + "</svg>\n"
        )

    def _tremble(
        self, points: tuple[Point, ...] | list[Point], most: float = 1.3
    ) -> list[Point]:
        """Return the points, each of them moved by up to `most` across and down."""
        return [
            (x + self.hand.uniform(-most, most), y + self.hand.uniform(-most, most))
            for x, y in points
        ]

    def _path(self, path: str, fill: str, ink: str, width: float) -> None:
        end = f'" fill="{fill}" stroke="{ink}" stroke-width="{width:g}"/>'
        if fill == NONE and self.shapes and self.shapes[-1].endswith(end):
            # Lines of one ink are one path, which says once what they look like.
            self.shapes[-1] = self.shapes[-1].removesuffix(end) + path + end
        else:
            self.shapes.append(f'<path d="{path}{end}')


def _smooth(points: list[Point], *, closed: bool = False) -> str:
    """Return the path of a curve through all points: a Catmull-Rom spline, as Bézier curves."""
    if closed:
        around = [points[-1], *points, points[0], points[1]]
    else:
        around = [points[0], *points, points[-1]]
    path = f"M{_at(around[1])}"
    for before, start, end, after in zip(
        around, around[1:], around[2:], around[3:], strict=False
    ):
        bend = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        back = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        path += f"C{_at(bend)} {_at(back)} {_at(end)}"
    return path


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
