"""The QR code of an address, as a part of the page."""

from __future__ import annotations

import re
from html import escape

import segno

# In modules: what has to stay empty around a code, by its standard.
QUIET = 4


def picture(address: str) -> str:
    """Return the QR code of an address as an SVG, dark on white in any light.

    Args:
        address: what a telephone opens.
    """
    rows = [bytes(row) for row in segno.make(address, error="m", micro=False).matrix]
    # Bars, from one dark module to the last beside it: a square for each is twice as long.
    dark = "".join(
        f"M{bar.start() + QUIET} {y + QUIET}h{len(bar[0])}v1h-{len(bar[0])}z"
        for y, row in enumerate(rows)
        for bar in re.finditer(b"\x01+", row)
    )
    side = len(rows) + 2 * QUIET
    return (
        f'<svg class="qr" viewBox="0 0 {side} {side}" role="img"'
        f' aria-label="QR code of {escape(address)}">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{dark}"/></svg>'
    )
