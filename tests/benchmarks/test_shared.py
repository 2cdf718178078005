"""What the benchmarks share: ratios, what is said of a machine, and servers as programs."""

from __future__ import annotations

import json
import os
import random
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest
import requests

from benchmarks import clients, faults, film
from benchmarks._clients import figures as clients_figures
from benchmarks._shared import pages, report
from benchmarks._shared.paths import BENCHMARKS, RESULTS
from benchmarks._shared.reproduced import Pair, compare, summary
from benchmarks._shared.whole import write_whole
from classroom.measuring.program import NotStarted, program
from classroom.measuring.ratios import Ratios
from tests.paths import ROOT
from tools import benches, usage
from tools.trouble import Misuse

POPEN = subprocess.Popen
NAMES = sorted(path.stem for path in BENCHMARKS.glob("[!_]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_says_how_it_is_started_and_keeps_its_result(name: str) -> None:
    source = (BENCHMARKS / f"{name}.py").read_text(encoding="utf-8")
    assert f"\n    python3 workshop.py bench {name}" in source
    assert re.search(rf'\bparser\(\s*"{name}"', source)
    assert (RESULTS / f"{name}.json").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_has_a_quick_way_and_says_how_long_it_takes(name: str) -> None:
    module = BENCHMARKS / f"{name}.py"
    bench = benches.read(module)
    assert re.search(r"^MINUTES = \d+$|^NOT_IN_ALL = ", module.read_text("utf-8"), re.MULTILINE)
    assert bench.question
    usage.look_at_options(module, ["--quick", *bench.options])
    with pytest.raises(Misuse, match="--quick"):
        usage.look_at_options(module, ["--nope"])


def test_all_benchmarks_take_less_than_half_an_hour() -> None:
    assert sum(bench.minutes for bench in benches.found() if not bench.why_not) < 30


def test_who_is_told_to_end_between_two_benchmarks_begins_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runner = benches._Runner()
    started = []

    def popen(*_: object, **__: object) -> subprocess.Popen[bytes]:
        waits = "from tools import started; started.let_signals_come(); input()"
        child = POPEN([sys.executable, "-c", waits], stdin=subprocess.PIPE)
        started.append(child)
        # In this moment nobody knows of it.
        runner.end()
        return child

    monkeypatch.setattr(subprocess, "Popen", popen)
    some = benches.Bench("some", "")
    assert runner.run(some, ()) != 0
    assert runner.run(some, ()) == runner.ended == benches.ENDED
    assert len(started) == 1


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


async def no_rows(*_: object, **__: object) -> list[Any]:
    """Measure nothing."""
    return []


ONE = clients_figures.Measured(rps=10.0, cpu=5.0, p50=1.0, p99=2.0, rss=30.0, busy=0.1)
SEEN = {
    (*clients.MAIN, clients_figures.USUAL): {
        clients_figures.BASELINE: [ONE],
        clients_figures.ALONE: [ONE],
    }
}


@pytest.mark.parametrize("options", [["--quick"], []])
@pytest.mark.parametrize(
    ("module", "name", "measured"),
    [
        (clients, "run", lambda *_: (SEEN, {})),
        (faults, "measure", no_rows),
        (film, "measure", no_rows),
    ],
    ids=["clients", "faults", "film"],
)
def test_what_is_measured_quickly_is_not_kept(
    module: Any,
    name: str,
    measured: object,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = []
    monkeypatch.setattr(sys, "argv", ["bench", *options])
    monkeypatch.setattr(module, name, measured)
    monkeypatch.setattr(module, "keep", lambda name, *_, **__: kept.append(name))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    module.main()
    assert kept == ([] if options else [module.__name__.rpartition(".")[2]])


def test_engines_of_some_are_not_kept_over_those_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--engine=curl"])
    monkeypatch.setattr(faults, "measure", no_rows)
    monkeypatch.setattr(faults, "keep", lambda *_: pytest.fail("it was kept"))
    assert faults.main() == 0


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
    busy = ["load_average"] * hasattr(os, "getloadavg")
    assert list(said) == ["python", "tornado", "machine", *busy, "rounds"]


def test_a_result_is_kept_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    result: dict[str, Any] = {"about": {"unit": "µs"}, "results": [1.5]}
    report.keep("some", result)
    kept = (tmp_path / "results" / "some.json").read_text(encoding="utf-8")
    assert json.loads(kept) == result
    assert kept.endswith("}\n")


def test_what_was_measured_is_kept_over_what_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    for old in ('{"about": {"rou', "[]", '{"results": []}', '{"about": 1, "results": [1]}'):
        (tmp_path / "some.json").write_text(old, encoding="utf-8")
        report.keep("some", of((2.0, 1.8, 2.2)))
        kept = json.loads((tmp_path / "some.json").read_text(encoding="utf-8"))
        assert kept == of((2.0, 1.8, 2.2))
        assert "the run before cannot be compared" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.json"
    write_whole(file, "old\n")

    def interrupted(self: Path, *_: object) -> None:
        assert self.read_text(encoding="utf-8") == "new\n"
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(file, "new\n")
    assert file.read_bytes() == b"old\n"
    assert [*tmp_path.iterdir()] == [file]


def test_a_file_that_is_read_and_so_cannot_be_replaced_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_use(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", in_use)
    write_whole(tmp_path / "some.json", "new\n")
    assert (tmp_path / "some.json").read_bytes() == b"new\n"


def test_what_has_lost_its_figures_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    one = (2.0, 1.8, 2.2)
    report.keep("some", of(one, one))
    now = of(one, one, one)
    for row in now["results"][2:]:
        del row["cpu_us"]
        row["refused"] = "it was busy"
    report.keep("some", now)
    told = [line for line in capsys.readouterr().out.splitlines() if "had figures" in line]
    # Nobody has seen the third thing before.
    assert told == [
        "hello, thing 2: it had figures in the run before, and is refused: it was busy"
    ]


# -- the same again ----------------------------------------------------------------------------


def of(*ratios: tuple[float, float, float]) -> dict[str, Any]:
    """A result with a baseline, and a thing for each ratio with its lowest and highest."""
    rows: list[dict[str, Any]] = [
        {
            "group": "hello",
            "mode": f"thing {number}" if number else "base",
            "cpu_us": {"median": 10.0, "ratio": ratio, "lowest": low, "highest": high},
        }
        for number, (ratio, low, high) in enumerate([(1.0, 1.0, 1.0), *ratios])
    ]
    said = {"python": "3.11.7", "machine": "some", "rounds": 3, "baseline": "base"}
    return {"about": said, "results": rows}


@pytest.mark.parametrize(
    ("before", "now", "is_reproduced"),
    [
        ((2.0, 1.8, 2.2), (2.1, 1.9, 2.3), True),
        ((2.0, 1.8, 2.2), (2.2, 2.0, 2.3), True),
        ((2.0, 1.8, 2.2), (2.3, 1.9, 2.4), False),
        # The median of this run is in the spread of the other one, which is wide, and not the
        # other way round.
        ((2.0, 1.0, 9.0), (5.0, 4.9, 5.1), False),
        ((5.0, 4.9, 5.1), (2.0, 1.0, 9.0), False),
        ((5.0, 5.0, 5.0), (5.0, 5.0, 5.0), True),
    ],
)
def test_a_ratio_is_reproduced_if_each_run_has_the_others_median_in_its_spread(
    before: tuple[float, float, float], now: tuple[float, float, float], is_reproduced: bool
) -> None:
    (pair,) = compare(of(before), of(now))
    assert pair.is_reproduced is is_reproduced
    assert ("NOT within the spread" in str(pair)) is not is_reproduced


@pytest.mark.parametrize(("rounds", "share"), [(3, 0.4), (5, 0.7), (7, 0.87)])
def test_chance_alone_reproduces_no_more_than_is_said(rounds: int, share: float) -> None:
    """Nothing differs between two runs but what is drawn."""
    draw = random.Random(1)
    of_one = []
    for _ in range(2 * 3000):
        ratios = [draw.gauss(2.0, 0.1) for _ in range(rounds)]
        of_one.append((statistics.median(ratios), min(ratios), max(ratios)))
    pairs = [Pair("", "", *both) for both in zip(of_one[::2], of_one[1::2], strict=True)]
    found = sum(pair.is_reproduced for pair in pairs) / len(pairs)
    assert found == pytest.approx(share, abs=0.04)


def test_what_is_not_in_both_runs_is_not_compared() -> None:
    one = (1.5, 1.4, 1.6)
    before, now = of(one, one), of(one, one, one)
    del now["results"][1]
    assert [pair.what for pair in compare(before, now)] == ["hello, thing 2"]
    now["results"][1] = {"group": "hello", "mode": "thing 2", "refused": "too busy"}
    assert compare(before, now) == []
    assert summary([]) == ""


def test_what_is_reproduced_of_the_processor_time_is_said_apart() -> None:
    """It is what is quoted, and a wait of the slowest is rarely the same again."""
    before, now = of((2.0, 1.8, 2.2)), of((2.0, 1.8, 2.2))
    for result, ratio in ((before, 3.0), (now, 9.0)):
        figure = {"median": 5.0, "ratio": ratio, "lowest": ratio, "highest": ratio}
        result["results"][1]["p99_ms"] = figure
    assert summary(compare(before, now)) == (
        "1 of 2 ratios lie within the spread of the run before;"
        " of those of processor time 1 of 1"
    )


def test_results_of_the_older_shapes_are_compared_too() -> None:
    for name in ("clients", "chat"):
        kept = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        pairs = compare(kept, kept)
        assert pairs
        assert all(pair.is_reproduced for pair in pairs)


def test_rows_of_an_earlier_run_are_not_compared_with_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    one, other = (2.0, 1.8, 2.2), (3.0, 2.9, 3.1)
    report.keep("some", of(one, other))
    report.keep("some", of(one, other), measured=of(one))
    assert "1 of 1 ratios lie within" in capsys.readouterr().out


def test_what_is_kept_says_how_much_of_it_is_reproduced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    report.keep("some", of((2.0, 1.8, 2.2), (3.0, 2.9, 3.1)))
    assert capsys.readouterr().out == ""
    report.keep("some", of((2.1, 1.9, 2.2), (4.0, 3.9, 4.1)))
    said = "1 of 2 ratios lie within the spread of the run before"
    assert capsys.readouterr().out.splitlines() == [
        "hello, thing 1, cpu_us: 2.00 (1.80 to 2.20), now 2.10 (1.90 to 2.20):"
        " within the spread that was kept",
        "hello, thing 2, cpu_us: 3.00 (2.90 to 3.10), now 4.00 (3.90 to 4.10):"
        " NOT within the spread that was kept",
        said,
    ]
    kept = json.loads((tmp_path / "some.json").read_text(encoding="utf-8"))
    assert kept["about"]["reproduced"] == said
    assert f"Measured again: {said}." in (tmp_path / "README.md").read_text(encoding="utf-8")


# -- the pages of the results ------------------------------------------------------------------


def test_the_pages_of_the_results_are_what_the_json_files_give() -> None:
    """`.venv/bin/python -m benchmarks._shared.pages` writes them."""
    said = pages.written()
    assert {path.name for path in RESULTS.iterdir() if path.suffix != ".json"} == {*said}
    for name, text in said.items():
        assert (RESULTS / name).read_text(encoding="utf-8") == text, name


def test_every_benchmark_is_on_the_page_with_its_question() -> None:
    page = (RESULTS / "README.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert re.search(rf"^## {name}\n\n[A-Z].*[.?]$", page, re.MULTILINE), name


def test_the_page_has_table_and_picture_of_each_thing_also_of_a_refused_one(
    tmp_path: Path,
) -> None:
    result = of((2.0, 1.8, 2.2))
    result["results"].append({"group": "hello", "mode": "a|b", "refused": "it was no 200"})
    result["about"]["left_out"] = {"PyPy": "it is not installed"}
    result["about"]["load_average"] = 2.5
    (tmp_path / "some.json").write_text(json.dumps(result), encoding="utf-8")
    (tmp_path / "gone.svg").touch()
    pages.write(tmp_path)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "|  | CPU µs |" in page
    assert "| base | 10 |" in page
    assert "| thing 1 | 10, 2.00 × (1.80 to 2.20) |" in page
    assert "| a\\|b | - |" in page
    assert "The ratios are to base." in page
    assert "some, load average 2.5, 3 rounds." in page
    assert "a|b is refused: it was no 200. PyPy is left out: it is not installed." in page
    assert re.search(r"!\[\S.*\]\(some\.svg\)", page)
    picture = ElementTree.fromstring((tmp_path / "some.svg").read_text(encoding="utf-8"))
    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"base", "10 µs, baseline", "thing 1", "10 µs, 2.00 ×", "a|b"} <= {*words}
    assert not (tmp_path / "gone.svg").exists()


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
