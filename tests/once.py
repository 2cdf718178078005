"""What is made once for a whole run of the tests, whichever of its processes needs it first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest


def made_once(
    request: pytest.FixtureRequest, name: str, make: Callable[[Path], object]
) -> Path:
    """Return a folder that `make` has filled, and in which nothing may be changed.

    There is no lock: of two processes that need it in the same moment each makes it, and that
    of the first is kept.
    """
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    base = factory.getbasetemp()
    # A process of pytest-xdist has a folder of its own, in that of the run.
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / name
    if not folder.exists():
        mine = factory.mktemp(f"{name}-made")
        make(mine)
        with suppress(OSError):
            mine.rename(folder)
    return folder
