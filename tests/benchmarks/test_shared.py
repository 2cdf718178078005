"""What the benchmarks share: ratios, what is said of a machine, and servers as programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from benchmarks._shared import report
from benchmarks._shared.paths import BENCHMARKS, RESULTS
from classroom.measuring.program import NotStarted, program
from classroom.measuring.ratios import Ratios
from tests.paths import ROOT

NAMES = sorted(path.stem for path in BENCHMARKS.glob("[!_]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_says_how_it_is_started_and_keeps_its_result(name: str) -> None:
    source = (BENCHMARKS / f"{name}.py").read_text(encoding="utf-8")
    assert f"\n    python3 workshop.py bench {name}" in source
    assert re.search(rf'\bparser\(\s*"{name}"', source)
    assert (RESULTS / f"{name}.json").is_file()


@pytest.mark.parametrize("rounds", ["0", "-1", "two"])
@pytest.mark.parametrize("name", ["styles", "clients", "faults", "chat"])
def test_nothing_is_measured_less_than_once(name: str, rounds: str) -> None:
    """It would say nothing, and be written over what was measured."""
    before = (RESULTS / f"{name}.json").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", f"--rounds={rounds}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert f"argument --rounds: '{rounds}' is no whole number from 1 on" in done.stderr
    assert (RESULTS / f"{name}.json").read_bytes() == before


def test_a_name_with_an_underscore_says_whose_it_is() -> None:
    """It is that of a benchmark, or `_shared`."""
    private = {path.stem.lstrip("_") for path in BENCHMARKS.glob("_[!_]*")}
    assert private - {"shared"} <= {*NAMES}


# -- the report --------------------------------------------------------------------------------


def test_ratios_are_those_of_pairs() -> None:
    ratios = Ratios.of([1.0, 6.0, 3.0], [2.0, 3.0, 3.0])
    assert (ratios.lowest, ratios.median, ratios.highest) == (0.5, 1.0, 2.0)
    assert ratios.quartiles == [0.75, 1.5]


def test_one_pair_has_a_ratio() -> None:
    ratios = Ratios.of([1.0], [3.0])
    assert (ratios.lowest, ratios.median, ratios.highest) == (0.33, 0.33, 0.33)


def test_what_has_no_twin_has_no_ratio() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Ratios.of([1.0, 2.0], [1.0])


def test_versions_of_what_is_not_installed_are_left_out() -> None:
    said = report.about("tornado", "nobody-has-this", rounds=5)
    assert list(said) == ["python", "tornado", "machine", "rounds"]


def test_a_result_is_kept_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    result: dict[str, Any] = {"about": {"unit": "µs"}, "results": [1.5]}
    report.keep("some", result)
    kept = (tmp_path / "results" / "some.json").read_text(encoding="utf-8")
    assert json.loads(kept) == result
    assert kept.endswith("}\n")


# -- programs ----------------------------------------------------------------------------------


def test_a_program_runs_until_the_block_ends() -> None:
    with program("stormy_demo.backend", "--port=0") as server:
        assert requests.get(server.url, timeout=500).status_code == 404
        assert server.port == int(server.url.rpartition(":")[2])
        assert server.cpu() > 0
        assert server.memory() > 1
    assert not psutil.pid_exists(server.pid)


def test_a_program_finds_the_project_whatever_its_environment() -> None:
    # Windows opens no socket without this one.
    few = {name: value for name, value in os.environ.items() if name == "SYSTEMROOT"}
    options = ("blocking", "--upstream=http://127.0.0.1:1/")
    with program("benchmarks._clients.servers", *options, environment=few) as server:
        assert server.port


def test_a_program_that_says_why_it_does_not_start() -> None:
    with pytest.raises(NotStarted) as reason, program("json.tool", "--help"):
        pass
    assert reason.value.said.startswith("usage: ")
    assert str(reason.value) == reason.value.said


def test_a_program_that_says_nothing() -> None:
    silent = "benchmarks._shared.paths"
    with (
        pytest.raises(NotStarted, match=rf"^{silent} did not start$") as reason,
        program(silent),
    ):
        pass
    assert reason.value.said == ""
