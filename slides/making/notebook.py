"""Reads a notebook with its committed outputs, which are shown as they are."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode


class CannotBuild(Exception):
    """There can be no deck, or no page; the message is a sentence that says why."""


def read(source: Path) -> NotebookNode:
    """Return a notebook whose cells were run.

    Args:
        source: where it is.

    Raises:
        CannotBuild: there is no such file, it is no notebook, or cells of it were never run.
    """
    try:
        notebook: NotebookNode = nbformat.read(source, as_version=4)
    except FileNotFoundError:
        raise CannotBuild(f"There is no notebook {source}.") from None
    except (
        nbformat.reader.NotJSONError,
        nbformat.ValidationError,
        UnicodeDecodeError,
        AttributeError,  # nbformat's, for JSON that is no object
    ) as why:
        raise CannotBuild(f"{source.name} is not a notebook: {str(why)[:80]}") from None
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    never_run = [cell for cell in code if cell.source.strip() and not cell.execution_count]
    if never_run:
        first = never_run[0].source.partition("\n")[0]
        raise CannotBuild(
            f"{source.name} has cells that were never run: {len(never_run)}, the first begins"
            f" with {first!r}. What is shown is what stands in the notebook, so run it first:"
            " python3 workshop.py refresh"
        )
    return notebook
