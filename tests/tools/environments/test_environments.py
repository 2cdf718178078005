"""Each row of the table happens as it stands there, and the table has each row."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.houses import make_small_house

from .kinds import kinds
from .page import PAGE, page
from .row import Place, Row

ROWS = [row for rows in kinds().values() for row in rows]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_a_person_sees_what_the_row_says(
    row: Row, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if not row.is_here:
        pytest.skip(f"only on {', '.join(row.systems)}, and where it can be set")
    house = (
        make_small_house(tmp_path / "house") if row.small else request.getfixturevalue("ready")
    )
    (tmp_path / "spare").mkdir()
    seen = row.happens(Place(house, tmp_path / "spare"))
    said = seen.stdout + seen.stderr
    assert row.sees in said
    assert row.absent not in said
    assert seen.returncode == row.code


def test_the_table_has_each_row_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "a row has changed: say `python -m tests.tools.environments`"
    )


def test_each_row_is_another() -> None:
    names = [row.what for row in ROWS]
    assert sorted(set(names)) == sorted(names)
