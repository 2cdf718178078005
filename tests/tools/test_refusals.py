"""What `test` says when pytest refuses a word, or finds no test to run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.houses import DEADLINE, Outcome, environment
from tests.paths import ROOT

# The door of these files, with the Python of these tests.
DOOR = """\
import sys, workshop
workshop.set_up, workshop.PYTHON = print, sys.executable
sys.exit(workshop.main(["test", *sys.argv[1:]]))
"""
TESTS = """\
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_it(number): pass
"""


def outcome_of(*words: str) -> Outcome:
    return subprocess.run(
        [sys.executable, "-c", DOOR, "-n1", "-p", "xdist", "-p", "nbval.plugin", *words],
        cwd=ROOT,
        # The plugins that are not asked about take most of the time.
        env=environment() | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tests that are none of the kit, so that pytest knows nothing of its settings."""
    there = tmp_path_factory.mktemp("others")
    (there / "test_it.py").write_text(TESTS)
    (there / "empty").mkdir()
    return there


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{}/test_it.py::nope", "there is no test {}/test_it.py::nope"),
        ("-n0 {}/test_it.py::nope", "not found: {}/test_it.py::nope"),
        ("-n0 {}/empty", "there is no test in {}/empty"),
        ("{}/test_it.py::test_it[3]", "there is no test {}/test_it.py::test_it[3]"),
        ("-x {}/nope.py", "file or directory not found: {}/nope.py"),
        ("-k nope {}/test_it.py", "-k 'nope' leaves out each test in {}/test_it.py: 2 in all"),
        ("-m nope {}", "-m 'nope' leaves out each test in {}: 2 in all"),
        (
            "--rootdir={} --deselect=test_it.py {}",
            "what is said leaves out each test in {}: 2 in all",
        ),
        ("-k or {}", "Wrong expression passed to '-k': or: "),
        ("{}/empty", "there is no test in {}/empty"),
    ],
)
def test_it_says_why_no_test_is_run(folder: Path, words: str, said: str) -> None:
    outcome = outcome_of(*words.replace("{}", str(folder)).split())
    assert outcome.returncode in (
        pytest.ExitCode.NO_TESTS_COLLECTED,
        pytest.ExitCode.USAGE_ERROR,
    )
    lines = (outcome.stdout + outcome.stderr).splitlines()
    told = [line for line in lines if line.startswith("ERROR: ")]
    assert len(told) == 1, lines
    assert said.format(folder) in told[0]
    assert "INTERNALERROR" not in outcome.stdout


def test_an_option_that_pytest_does_not_have_is_refused_in_a_line(folder: Path) -> None:
    outcome = outcome_of("--bogus", str(folder))
    assert outcome.returncode == pytest.ExitCode.USAGE_ERROR
    assert outcome.stderr.strip() == (
        "ERROR: unrecognized arguments: --bogus (workshop.py test --help lists the options)"
    )


def test_nothing_is_said_where_tests_are_run(folder: Path) -> None:
    outcome = outcome_of("-n2", "-k", "1", str(folder))
    assert outcome.returncode == 0, outcome
    assert "ERROR" not in outcome.stdout + outcome.stderr
