"""Pythons are found where their users have them, asked who they are, and serve the same."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import requests

from benchmarks import pythons
from benchmarks._pythons import finding, packages
from benchmarks._pythons.finding import Command, NoPython, Python, command_of, find, who
from benchmarks._pythons.packages import HERE, Tornado
from benchmarks._shared.environments import NoEnvironment
from benchmarks._shared.paths import RESULTS
from classroom.measuring.program import Program, command
from tests.paths import ROOT
from tools.paths import EXE

OURS = (sys.executable,)
MINE = Tornado("1.0", sysconfig.get_path("purelib"))
SERVER = HERE / "server.py"


@pytest.fixture(scope="module")
def server() -> Iterator[Program]:
    with command(sys.executable, "-s", str(SERVER)) as started:
        yield started


def python(tmp_path: Path, **says: Any) -> Command:
    """A program that says of itself that it is some Python."""
    said = {
        "implementation": "CPython",
        "version": "3.12.9",
        "minor": [3, 12],
        "build": "somebody's",
        "pypy": [],
        "is_free": False,
        "has_jit": False,
        **says,
    }
    script = tmp_path / f"python{len(list(tmp_path.iterdir()))}.py"
    script.write_text(f"print({json.dumps(said)!r})", encoding="utf-8")
    return (sys.executable, str(script))


# -- the server --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        ("/hello", "hello"),
        ("/loop", str(sum(n * n for n in range(20_000)) % 1_000_003)),
        ("/recursion", "1597"),
        ("/page", "<table><tr><td>0</td><td>0</td><td>name 0</td><td>0</td></tr><tr><td>1<"),
    ],
)
def test_each_handler_answers(server: Program, path: str, begins: str) -> None:
    answer = requests.get(server.url + path, timeout=60)
    assert answer.status_code == 200
    assert answer.text.startswith(begins)


def test_there_is_nothing_else(server: Program) -> None:
    assert requests.get(f"{server.url}/", timeout=60).status_code == 404


def test_it_is_for_python_3_9_and_uses_nothing_of_ours() -> None:
    tree = ast.parse(SERVER.read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert imported - {*sys.stdlib_module_names} == {"tornado"}


def test_it_ends_with_whoever_started_it() -> None:
    words = [sys.executable, "-s", str(SERVER)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout and started.stdin
        assert started.stdout.readline().startswith(b"listening on ")
        started.stdin.close()
        assert started.wait(timeout=60) == 0


# -- who a Python is ---------------------------------------------------------------------------


def test_our_python_is_who_it_is() -> None:
    ours = who(OURS)
    assert ours.version == ".".join(map(str, sys.version_info[:3])) or sys.version_info[3:]
    assert ours.minor == sys.version_info[:2]
    assert ours.build == sys.version
    assert not ours.compiles


def test_pypy_is_named_by_both_of_its_versions(tmp_path: Path) -> None:
    found = who(
        python(tmp_path, implementation="PyPy", version="3.9.1", minor=[3, 9], pypy=[7, 3, 1])
    )
    assert found.name == "PyPy 7.3 (3.9)"
    assert found.compiles


def test_a_cpython_without_its_lock_has_a_name_of_its_own(tmp_path: Path) -> None:
    assert who(python(tmp_path, is_free=True)).name == "CPython 3.12t"


@pytest.mark.parametrize("source", ["print('hello')", "raise SystemExit(3)", "print([])"])
def test_what_is_no_python_is_refused(tmp_path: Path, source: str) -> None:
    script = tmp_path / "some.py"
    script.write_text(source, encoding="utf-8")
    with pytest.raises(NoPython, match=r"some\.py is no Python 3 that runs here"):
        who((sys.executable, str(script)))


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoPython, match="nobody is no Python 3 that runs here"):
        who((str(tmp_path / "nobody"),))


def test_what_is_too_old_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoPython, match=r"is Python 3\.8\.1, which is too old"):
        who(python(tmp_path, version="3.8.1", minor=[3, 8]))


def test_a_command_is_a_path_or_several_words(tmp_path: Path) -> None:
    there = tmp_path / "my python"
    there.touch()
    assert command_of(str(there)) == (str(there),)
    assert command_of("loader --path lib python3.15") == (
        "loader",
        "--path",
        "lib",
        "python3.15",
    )


# -- which there are ---------------------------------------------------------------------------


def without_jit(pythons: Sequence[Python]) -> list[Python]:
    """Leave out what stands beside one that can compile: this Python may be such a one."""
    return [each for each in pythons if not each.name.endswith(" with its JIT")]


def newer(number: int) -> dict[str, Any]:
    return {"version": f"3.{number}.0", "minor": [3, number]}


def test_ours_is_first_and_pypy_last(tmp_path: Path) -> None:
    pypy = python(tmp_path, implementation="PyPy", minor=[3, 9], pypy=[7, 3, 11])
    others = [who(OURS).minor[1] + n for n in (2, 1)]
    places = [pypy, *(python(tmp_path, **newer(number)) for number in others), OURS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "MINORS", range(11, 30))
        names = [each.name for each in without_jit(find(places=places))]
    assert names == [
        who(OURS).name,
        f"CPython 3.{others[1]}",
        f"CPython 3.{others[0]}",
        "PyPy 7.3 (3.9)",
    ]


def test_what_is_given_goes_before_what_is_found(tmp_path: Path) -> None:
    given = python(tmp_path, implementation="PyPy", minor=[3, 9], pypy=[7, 3, 11])
    found = python(tmp_path, implementation="PyPy", minor=[3, 9], pypy=[7, 3, 11])
    _, pypy = without_jit(find([given], [found]))
    assert pypy.command == given


def test_what_is_given_and_no_python_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoPython):
        find([(str(tmp_path / "nobody"),)], [])


def test_what_is_found_and_no_python_is_passed_over(tmp_path: Path) -> None:
    old = python(tmp_path, version="3.10.2", minor=[3, 10])
    places = [(str(tmp_path / "nobody"),), old]
    assert len(without_jit(find(places=places))) == 1


def test_another_build_of_our_version_is_kept(tmp_path: Path) -> None:
    ours = who(OURS)
    same = python(tmp_path, minor=ours.minor, build=ours.build)
    another = python(tmp_path, minor=ours.minor, build="another's")
    names = [each.name for each in without_jit(find(places=[same, another]))]
    assert names == [ours.name, f"{ours.name}, another build"]


def test_the_newest_with_a_compiler_is_there_twice(tmp_path: Path) -> None:
    given = [python(tmp_path, **newer(number), has_jit=True) for number in (98, 99)]
    *_, one, two, three = find(given, [])
    assert [one.name, two.name] == ["CPython 3.98", "CPython 3.99"]
    assert three.name == "CPython 3.99 with its JIT"
    assert three.environment == {"PYTHON_JIT": "1"}
    assert (two.compiles, three.compiles) == (False, True)


def test_what_is_missing_is_named_with_its_reason() -> None:
    there = Python("CPython 3.12", OURS, "3.12.1", (3, 12))
    pypy = Python("PyPy 7.3 (3.9)", OURS, "3.9.1", (3, 9))
    missing = finding.not_found([there, pypy])
    assert "CPython 3.12" not in missing and "PyPy" not in missing
    assert missing["CPython 3.15"] == "there is none on this machine"
    assert "no Python on this machine" in missing["CPython with its JIT"]
    assert "CPython with its JIT" not in finding.not_found([there.with_jit])


def test_a_python_is_looked_for_on_the_path_and_where_pyenv_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix = ".bat" if os.name == "nt" else ""
    path, shims = tmp_path / "some", tmp_path / "shims"
    pyenv = tmp_path / "pyenv" / "versions" / "3.12.1" / "bin"
    for folder, name in [
        (path, f"python3.13{suffix}"),
        (shims, f"python3.14{suffix}"),
        (pyenv, f"python{EXE}"),
    ]:
        folder.mkdir(parents=True)
        (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(shims), str(path)]))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(finding, "UV", tmp_path / "nobody")
    found = [Path(words[0]).name.lower() for words in finding.commands()]
    assert found == [f"python3.13{suffix}", f"python{EXE}"]


def test_our_environment_says_nothing_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "ours")
    monkeypatch.setenv("PYTHON_JIT", "1")
    assert "PYTHONPATH" not in finding.bare_environment()
    assert finding.bare_environment()["PYTHON_JIT"] == "0"
    assert finding.bare_environment(PYTHON_JIT="1")["PYTHON_JIT"] == "1"


# -- with which Tornado ------------------------------------------------------------------------


@pytest.fixture
def pypy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pypy = Python("PyPy 7.3 (3.9)", OURS, "3.9.1", (3, 9))
    monkeypatch.setattr(pythons, "find", lambda given: [who(OURS), pypy])
    monkeypatch.setattr(packages, "newest", lambda: Tornado("9.1", "new"))
    monkeypatch.setattr(packages, "older", lambda: Tornado("9.0", "old"))


@pytest.mark.usefixtures("pypy_too")
def test_an_older_python_has_the_older_tornado_and_ours_has_both() -> None:
    there, _ = pythons.contenders([])
    ours = who(OURS).name
    assert {name: each.tornado.version for name, each in there.items()} == {
        ours: "9.1",
        f"{ours}, older Tornado": "9.0",
        "PyPy 7.3 (3.9)": "9.0",
    }


@pytest.mark.usefixtures("pypy_too")
def test_without_the_older_tornado_what_needs_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> Tornado:
        raise NoEnvironment("there is no network")

    monkeypatch.setattr(packages, "older", none)
    there, left_out = pythons.contenders([])
    ours = who(OURS).name
    assert [*there] == [ours]
    assert left_out[f"{ours}, older Tornado"] == "there is no network"
    assert left_out["PyPy 7.3 (3.9)"] == "there is no network"


@pytest.mark.parametrize("lock", ["tornado.lock", "tornado_3_9.lock"])
def test_a_lock_has_one_package_and_its_hashes(lock: str) -> None:
    first, *rest = (HERE / lock).read_text(encoding="utf-8").splitlines()
    assert first.startswith("tornado==") and ";" not in first
    assert all(line.startswith("    --hash=sha256:") for line in rest)


def test_the_newest_is_the_one_that_the_kit_teaches() -> None:
    words = (HERE / "tornado.lock").read_text(encoding="utf-8")
    pinned = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert f"\n{words.partition(' ')[0]} " in pinned


# -- what is measured --------------------------------------------------------------------------


def test_all_are_measured_and_what_does_not_start_is_refused(tmp_path: Path) -> None:
    ours = pythons.Contender(who(OURS), MINE)
    broken = pythons.Contender(
        replace(ours.python, command=python(tmp_path), name="broken"), MINE
    )
    # With three answers, the time is that in which the client wakes up, and it counts as busy.
    few = dict.fromkeys(pythons.HANDLERS, 30)
    said: list[str] = []
    before = {*psutil.Process().children()}
    rows = pythons.measure(
        {"ours": ours, "broken": broken}, pythons.Size(few, few, few), 1, said.append
    )
    assert [row["group"] for row in rows if row["mode"] == "ours"] == [*pythons.GROUPS]
    for row in rows:
        if row["mode"] == "broken":
            assert row["refused"].startswith("the server does not start: {")
        else:
            (figure,) = row.keys() - {"group", "mode"}
            assert row[figure]["median"] > 0
            assert row[figure]["ratio"] == 1.0
    assert {*psutil.Process().children()} <= before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--rounds=0", "argument --rounds: '0' is no whole number from 1 on"),
        ("--python=/nobody/has/this", "is no Python 3 that runs here"),
    ],
)
def test_bad_words_are_told_and_nothing_is_kept(words: str, reason: str) -> None:
    before = (RESULTS / "pythons.json").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pythons", words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert reason in done.stderr
    assert (RESULTS / "pythons.json").read_bytes() == before


def test_what_is_kept_has_all_groups_and_no_place_of_a_machine() -> None:
    text = (RESULTS / "pythons.json").read_text(encoding="utf-8")
    kept = json.loads(text)
    assert {row["group"] for row in kept["results"]} == {*pythons.GROUPS}
    modes = {row["mode"] for row in kept["results"]}
    assert modes == {*kept["about"]["versions"]}
    assert not [word for word in text.replace('"', " ").split() if word.startswith(("/", "~"))]
    assert "\\\\" not in text
