"""How a program ends that cannot import a part: in the sentence that says what to install."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def in_a_sentence(name: str) -> Iterator[None]:
    """Import in this block what may be missing. Who imports the module has the error itself.

    Args:
        name: the `__name__` of the module in which the block stands.

    Raises:
        SystemExit: the module is the program, and something is missing; the status is 1.
    """
    try:
        yield
    except ImportError as error:
        if name != "__main__":
            raise
        sys.exit(str(error))
