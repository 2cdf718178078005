"""What the tests of the door share: a house that is set up from the real lock, and a pip."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.houses import BASE, environment, lend_compiled, make_house
from tests.once import made_once
from tools import bundled_pip

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


@pytest.fixture(scope="session")
def compiled_pip(request: pytest.FixtureRequest) -> dict[str, str]:
    """What has a door take the pip of its Python from a folder, and not from its wheel.

    In a wheel nothing stays compiled, which takes most of the time of a pip. This is for tests
    of what pip says; whether it runs from the wheel is seen in test_workshop.py.
    """
    wheel = bundled_pip.bundled()
    if not wheel:
        return {}

    def make(folder: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "wheels" / wheel.name)
        code = "import os, sysconfig\nsysconfig.get_config_vars()['WHEEL_PKG_DIR'] = "
        code += "os.path.join(os.path.dirname(__file__), 'wheels')\n"
        (folder / "sitecustomize.py").write_text(code, encoding="utf-8")

    return {"PYTHONPATH": str(made_once(request, "pip", make))}
