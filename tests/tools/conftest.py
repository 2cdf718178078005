"""A house that the tests of a process share, set up from the real lock."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.houses import BASE, environment, lend_compiled, make_house

SET_UP = "from tools import set_up; set_up.set_up(set_up.CORE)"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared copy, with a space and a letter beyond ASCII in its path."""
    house = make_house(tmp_path_factory.mktemp("the door") / "Übung eins")
    subprocess.run([BASE, "-c", SET_UP], cwd=house, env=environment(), check=True)
    lend_compiled(house)
    return house


@pytest.fixture
def ready(home: Path) -> Path:
    """The shared copy, set up, with nothing in work/."""
    shutil.rmtree(home / "work", ignore_errors=True)
    return home
