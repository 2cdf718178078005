"""Files of the person's that have the name of a library."""

from __future__ import annotations

from .row import Row

ROWS: list[Row] = []
