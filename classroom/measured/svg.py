"""The parts that pictures of measurements are drawn of, as text of an SVG file."""

from __future__ import annotations

from html import escape

from loopfilm.lettering import clean

FONT = "font-family=\"system-ui, -apple-system, 'Segoe UI', sans-serif\""


def text(x: float, y: float, words: str, style: str = "") -> str:
    """Return words.

    Args:
        x: where they begin, in pixels from the left.
        y: the line on which they stand, in pixels from the top.
        words: what they say; what no such file may have is replaced.
        style: more attributes.
    """
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(clean(words))}</text>'


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a box that is filled.

    Args:
        x: its left edge, in pixels.
        y: its upper edge.
        width: how wide it is.
        height: how high.
        colour: that of all of it.
    """
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:g}"'
        f' fill="{colour}"/>'
    )
