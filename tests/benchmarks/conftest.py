"""What the tests of the benchmarks share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from benchmarks._shared.paths import RESULTS
from classroom.measuring import load, open_loop, program
from tests import quick_start


@pytest.fixture(autouse=True, scope="package")
def measured_quickly() -> Iterator[None]:
    """Have what measures fork its servers and its visitors."""
    if quick_start.CAN_FORK:
        # Who looks at the children of this process finds it before and after.
        quick_start.forks()
    # Whoever else starts processes meanwhile gets ordinary ones.
    quick = {**vars(subprocess), "Popen": quick_start.Popen, "run": quick_start.run}
    with pytest.MonkeyPatch.context() as patch:
        for module in (load, open_loop, program):
            patch.setattr(module, "subprocess", SimpleNamespace(**quick))
        yield


@pytest.fixture(autouse=True)
def results_are_left_alone() -> Iterator[None]:
    """Fail a test that writes a result, or what is shown of it, into the checkout."""

    def written() -> dict[str, int]:
        return {file.name: file.stat().st_mtime_ns for file in RESULTS.iterdir()}

    before = written()
    yield
    assert written() == before
