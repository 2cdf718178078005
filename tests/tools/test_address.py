"""The address of the kit is told in many places, and kept in one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from slides.making.page import home
from tests.houses import BASE, Outcome
from tests.paths import ROOT
from tools.address import address, places, slug

PLACES = sorted({path.relative_to(ROOT) for path, _ in places(slug(address()))})
TOLD_IN = ("README.md", "TEACHING.md", "slides/stormy_webber.ipynb")
# In the addresses of the repository, of the zip, of Binder and of a codespace.
REPOSITORY = re.compile(
    r"(?:github\.com|mybinder\.org/v2/gh|codespaces\.new)/([\w.-]+/[\w-]+(?:\.[\w-]+)*)"
)
# Those of 2013, and a form.
OTHERS = {"1stvamp/trequests", "1stvamp/stormy-webber", "OWNER/NAME"}


def told(paper: Path) -> set[str]:
    return {*REPOSITORY.findall(paper.read_text(encoding="utf-8"))} - OTHERS


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What tells the address, and what changes it."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    for place in PLACES:
        (tmp_path / place).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / place, tmp_path / place)
    return tmp_path


def say(copy: Path, *arguments: str) -> Outcome:
    command = [BASE, "-m", "tools.address", *arguments]
    return subprocess.run(command, cwd=copy, capture_output=True, encoding="utf-8")


@pytest.mark.parametrize("paper", TOLD_IN)
def test_the_papers_tell_the_one_that_pyproject_has(paper: str) -> None:
    assert told(ROOT / paper) == {slug(address())}
    assert Path(paper) in PLACES


def test_the_index_of_the_slides_takes_it_from_there() -> None:
    template = Path(home.__file__).with_name("home.html.j2").read_text(encoding="utf-8")
    assert '<a href="{{ address }}">' in template


def test_whoever_keeps_the_kit_elsewhere_changes_all_places_at_once(copy: Path) -> None:
    before = {place: (copy / place).read_bytes() for place in PLACES}
    moved = say(copy, "https://github.com/ada/talks.git")
    assert (moved.returncode, moved.stderr) == (0, "")
    assert moved.stdout == say(copy).stdout
    for place in PLACES:
        assert told(copy / place) == {"ada/talks"}
        assert f"  {place.as_posix()}:" in moved.stdout
    say(copy, address())
    assert {place: (copy / place).read_bytes() for place in PLACES} == before


def test_an_address_of_another_kind_is_refused_with_a_sentence(copy: Path) -> None:
    refused = say(copy, "https://example.org/kit")
    assert refused.returncode == 1
    assert refused.stderr.startswith("tools.address: https://example.org/kit is not like ")
    assert refused.stderr.count("\n") == 1
    assert told(copy / "README.md") == {slug(address())}
