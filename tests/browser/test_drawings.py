"""Each drawing of the talk lies within its own view box, strokes included."""

from __future__ import annotations

from slides.drawing.scenes import DRAWINGS, draw
from tests.browser.conftest import Opener

# How far the strokes of each drawing reach beyond its view box, in its own units.
BEYOND = """() => [...document.querySelectorAll('svg')].map(svg => Math.max(
    ...[...svg.querySelectorAll('path, circle, text')].flatMap(part => {
        const {x, y, width, height} = part.getBBox();
        const half = part.getAttribute('stroke') === 'none' ? 0
            : Number(part.getAttribute('stroke-width') ?? 0) / 2;
        const {width: right, height: bottom} = svg.viewBox.baseVal;
        return [half - x, half - y, x + width + half - right, y + height + half - bottom];
    })))"""


def test_each_drawing_is_inside_its_view_box(opened: Opener) -> None:
    page = opened()
    page.set_content("".join(map(draw, DRAWINGS)))
    beyond = dict(zip(DRAWINGS, page.evaluate(BEYOND), strict=True))
    # A thread comes down from the edge, and its round end may lie on it.
    assert {name: by for name, by in beyond.items() if by > 4} == {}
