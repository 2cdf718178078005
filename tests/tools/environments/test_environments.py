"""Each row of the table happens as it stands there, and the table has each row."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.houses import make_small_house

from .row import Place, Row

HERE = Path(__file__).parent
# A module for each kind, with its `ROWS`.
KINDS = sorted(path.stem for path in HERE.glob("of_*.py"))
ROWS: list[Row] = [
    row for kind in KINDS for row in importlib.import_module(f".{kind}", __package__).ROWS
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_a_person_sees_what_the_row_says(
    row: Row, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if not row.is_here:
        pytest.skip(f"only on {', '.join(row.systems)}")
    house = (
        make_small_house(tmp_path / "house") if row.small else request.getfixturevalue("ready")
    )
    (tmp_path / "spare").mkdir()
    seen = row.happens(Place(house, tmp_path / "spare"))
    said = seen.stdout + seen.stderr
    assert row.sees in said
    assert row.absent not in said
    assert seen.returncode == row.code
