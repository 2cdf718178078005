"""A house that the tests of a file share, set up from the real lock."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.houses import Outcome, door, make_house


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared copy, with a space and a letter beyond ASCII in its path."""
    return make_house(tmp_path_factory.mktemp("the door") / "Übung eins")


@pytest.fixture(scope="session")
def first_check(home: Path) -> Outcome:
    return door(home, "check")


@pytest.fixture
def ready(home: Path, first_check: Outcome) -> Path:
    """The shared copy, set up, with nothing in work/."""
    assert first_check.returncode == 0, first_check
    shutil.rmtree(home / "work", ignore_errors=True)
    return home
