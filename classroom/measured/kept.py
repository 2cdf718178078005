"""What the benchmarks have kept, as they have kept it."""

from __future__ import annotations

import json
from typing import Any

from ..paths import RESULTS


def read(name: str) -> Any:
    """Return the result of a benchmark: what is in its file.

    Raises:
        LookupError: there is none of this name.
    """
    file = RESULTS / f"{name}.json"
    if not file.is_file():
        raise LookupError(f"there is no result of a benchmark called {name}")
    return json.loads(file.read_text(encoding="utf-8"))
