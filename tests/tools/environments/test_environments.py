"""Each row of the table happens as it stands there, and the table has each row."""

from __future__ import annotations

from pathlib import Path

import pytest

from .kinds import kinds
from .page import PAGE, page
from .row import Row

ROWS = [row for rows in kinds().values() for row in rows]
SHARED = [row for row in ROWS if not row.small]


@pytest.mark.parametrize("row", SHARED, ids=lambda row: row.what)
def test_a_person_sees_what_the_row_says(row: Row, ready: Path, tmp_path: Path) -> None:
    row.must_be_here()
    row.is_as_it_says(ready, tmp_path)


def test_the_table_has_each_row_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "a row has changed: say `python -m tests.tools.environments`"
    )


def test_each_row_is_another() -> None:
    names = [row.what for row in ROWS]
    assert sorted(set(names)) == sorted(names)
