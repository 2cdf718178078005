"""Another package in the place of urllib3 is told of at once, in a sentence."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import requests
import urllib3

from tests.paths import ROOT
from trequests import known


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "__version__ = '2.25.904'\nclass AsyncPoolManager: pass\n",
            "ImportError: the package urllib3 was replaced by urllib3-future, as niquests does",
        ),
        (
            "__version__ = '1.26.20'\n",
            "ImportError: trequests needs urllib3 2.5 or later, and this is 1.26.20",
        ),
    ],
    ids=["urllib3-future", "older"],
)
def test_it_is_named_when_trequests_is_imported(
    code: str, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "urllib3.py").write_text(code, encoding="utf-8")
    script = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import trequests"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.strip().rpartition("\n")[2].startswith(sentence)


@pytest.mark.parametrize(
    "name", [f"{module}.{name}" for module, names in known.NAMES.items() for name in names]
)
def test_a_name_that_has_moved_is_told_with_the_versions_that_are_known(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known.wrong() == ""
    monkeypatch.delattr(name)
    assert known.wrong() == (
        f"trequests knows urllib3 2.5 to 2.8 with requests 2.32.5 and later, and urllib3 "
        f"{urllib3.__version__} with requests {requests.__version__} has no {name}"
    )


def test_the_versions_are_those_that_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {each for each in project["dependencies"] if each.startswith(("urllib3", "req"))}
    oldest, (major, minor) = ".".join(map(str, known.OLDEST)), known.NEWEST
    assert declared == {f"urllib3>={oldest},<{major}.{minor + 1}", "requests>=2.32.5,<3"}
