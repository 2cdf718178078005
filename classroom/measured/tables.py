"""A table of figures, as text and as HTML."""

from __future__ import annotations

import html


class Table:
    """A table of figures, as text and as HTML.

    Args:
        columns: the headings.
        rows: a list of cells for each row.
        note: what to know about where the figures come from.
    """

    def __init__(self, columns: list[str], rows: list[list[str]], note: str = "") -> None:
        self.columns = columns
        self.rows = rows
        self.note = note

    def __getitem__(self, place: tuple[str, str]) -> int:
        """Return the whole number in a row, by its first cell, and a column, by its heading.

        Raises:
            ValueError: there is no such row or column, or no whole number in that place.
        """
        (row,) = [cells for cells in self.rows if cells[0] == place[0]]
        return int(row[self.columns.index(place[1])])

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[n]) for line in lines) for n in range(len(self.columns))]
        text = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
        return "\n".join([*text, self.note] if self.note else text)

    def _repr_html_(self) -> str:
        # With `scope` a screen reader says a cell's headings; an empty heading gets none, since
        # it would be announced as well.
        top = "".join(_cell(words, "col") for words in self.columns)
        rows = ["".join([_cell(row[0], "row"), *map(_cell, row[1:])]) for row in self.rows]
        head = f"<thead><tr>{top}</tr></thead>"
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table>{head}<tbody>{body}</tbody></table><p>{html.escape(self.note)}</p>"


def _cell(words: str, scope: str = "") -> str:
    tag, attribute = ("th", f' scope="{scope}"') if scope and words else ("td", "")
    return f"<{tag}{attribute}>{html.escape(words)}</{tag}>"


def _aligned(cells: list[str], widths: list[int]) -> list[str]:
    first, *rest = zip(cells, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
