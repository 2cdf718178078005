"""Each row of the table for which a house is set up anew happens as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.houses import make_small_house

from .kinds import kinds
from .row import Row

ROWS = [row for rows in kinds().values() for row in rows if row.small]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_a_person_sees_what_the_row_says(
    row: Row, compiled_pip: dict[str, str], tmp_path: Path
) -> None:
    row.must_be_here()
    row.is_as_it_says(make_small_house(tmp_path / "house"), tmp_path, **compiled_pip)
