"""The heads of a table, which tell a screen reader whether they are of a row or of a column."""

from __future__ import annotations

import re

HEAD = re.compile(r"<thead\b.*?</thead>|<th\b(?![^>]*\sscope=)", re.DOTALL)
CELL = re.compile(r"<th\b(?![^>]*\sscope=)")


def with_scope(html: str) -> str:
    """Return a page whose table heads have a scope.

    Args:
        html: the page. What is in a `<thead>` is of a column, and any other of its row.
    """

    def scoped(found: re.Match[str]) -> str:
        what = "col" if found[0].startswith("<thead") else "row"
        return CELL.sub(f'<th scope="{what}"', found[0])

    return HEAD.sub(scoped, html)
