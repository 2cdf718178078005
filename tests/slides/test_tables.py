"""The heads of tables, as a screen reader meets them."""

from __future__ import annotations

from slides.making.tables import with_scope

TABLE = (
    "<table><thead><tr><th></th><th id='a'>ms</th></tr></thead>"
    "<tbody><tr><th>ada</th><td>1</td></tr></tbody></table>"
)


def test_a_head_says_whether_it_is_of_a_column_or_of_a_row() -> None:
    assert with_scope(TABLE) == (
        '<table><thead><tr><th scope="col"></th><th scope="col" id=\'a\'>ms</th></tr></thead>'
        '<tbody><tr><th scope="row">ada</th><td>1</td></tr></tbody></table>'
    )


def test_each_table_has_heads_of_its_own() -> None:
    assert with_scope(TABLE + TABLE) == with_scope(TABLE) * 2


def test_whoever_has_said_it_is_not_told_again() -> None:
    said = with_scope(TABLE)
    assert with_scope(said) == said


def test_a_head_of_a_page_is_no_head_of_a_table() -> None:
    page = "<head></head><header><thumb>1</thumb></header>"
    assert with_scope(page) == page
