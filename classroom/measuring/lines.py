"""How often each line of Python runs: what a compiler that watches a program goes by."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

Line = tuple[CodeType, int]


@contextmanager
def counted_lines() -> Iterator[Counter[Line]]:
    """Count, of all that is called on this thread while the block runs, how often lines run.

    What was called before the block, and still runs, is not counted; nor are other threads.

    Returns:
        How often each line has run, by its function and its number.
    """
    lines: Counter[Line] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            lines[frame.f_code, frame.f_lineno] += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield lines
    finally:
        sys.settrace(before)
