"""The door, as people use it: `python workshop.py ...` in a copy of the project."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.houses import (
    BASE,
    DEADLINE,
    Outcome,
    assert_one_sentence,
    door,
    make_house,
    make_small_house,
    pin,
    started,
    until,
)
from tests.paths import ROOT
from tools import copies, usage
from tools.locks import PYTHONS
from tools.paths import BIN, EXE

# -- set-up ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy for which nobody has compiled anything, as everybody's is at first."""
    return make_house(tmp_path_factory.mktemp("the door") / "Übung eins")


@pytest.fixture(scope="module")
def first_check(home: Path) -> Outcome:
    return door(home, "check")


@pytest.fixture
def ready(home: Path, first_check: Outcome) -> Path:
    """The same copy, set up, with nothing in work/."""
    assert first_check.returncode == 0, first_check
    shutil.rmtree(home / "work", ignore_errors=True)
    return home


def test_a_fresh_copy_is_set_up_and_ready(first_check: Outcome) -> None:
    assert first_check.returncode == 0, first_check
    assert "Setting up .venv" in first_check.stdout
    assert first_check.stdout.endswith("This machine is ready for the day.\n")
    assert "problem" not in first_check.stdout
    assert first_check.stderr == ""


def test_the_second_time_nothing_is_installed(ready: Path) -> None:
    stamp = (ready / ".venv" / "stormy.stamp").stat().st_mtime_ns
    again = door(ready, "check")
    assert again.returncode == 0
    assert "Setting up" not in again.stdout
    assert (ready / ".venv" / "stormy.stamp").stat().st_mtime_ns == stamp
    # The trial of lab leaves nothing behind.
    assert not (ready / "work").exists()
    runtime = ready / ".venv" / "share" / "jupyter" / "runtime"
    assert [path.name for path in runtime.iterdir()] == ["jupyter_cookie_secret"]


def test_the_news_stay_away(ready: Path) -> None:
    overrides = ready / ".venv" / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    news = json.loads(overrides.read_text())["@jupyterlab/apputils-extension:notification"]
    assert news == {"fetchNews": "false", "checkForUpdates": False}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small house that the tests of this part damage, one after another."""
    house = make_small_house(tmp_path_factory.mktemp("small") / "house")
    with (house / "requirements-all.lock").open("a") as lock:
        # A program that names its folder.
        lock.write(pin("pip"))
    outcome = door(house, "bench")
    assert outcome.returncode == 0, outcome
    return house


def assert_mended(house: Path) -> None:
    outcome = door(house, "bench", "styles")
    assert outcome.returncode == 0, outcome
    assert "Setting up .venv" in outcome.stdout
    assert "measured" in outcome.stdout
    assert "Setting up" not in door(house, "bench", "styles").stdout


def test_a_changed_lock_adds_to_what_is_there(small: Path) -> None:
    assert door(small, "bench").returncode == 0
    (small / ".venv" / "kept").touch()
    with (small / "requirements-all.lock").open("a") as lock:
        lock.write(pin("iniconfig"))
    assert_mended(small)
    assert (small / ".venv" / "kept").exists()
    assert next((small / ".venv").glob("[Ll]ib/**/iniconfig/__init__.py"))


def test_half_a_package_is_mended(small: Path) -> None:
    (small / ".venv" / "stormy.stamp").unlink()
    next((small / ".venv").glob("[Ll]ib/**/tornado/web.py")).unlink()
    assert_mended(small)


def test_a_python_that_does_not_start_is_mended(small: Path) -> None:
    python = small / ".venv" / BIN / f"python{EXE}"
    python.unlink()
    python.write_text("no Python at all")
    assert_mended(small)


def test_a_clone_that_was_moved_is_mended(small: Path) -> None:
    moved = small.rename(small.with_name("moved"))
    try:
        assert_mended(moved)
        assert str(moved).encode() in (moved / ".venv" / BIN / f"pip{EXE}").read_bytes()
    finally:
        moved.rename(small)


def test_a_set_up_that_was_killed_is_mended(tmp_path: Path) -> None:
    house = make_small_house(tmp_path)
    with started(house, "bench") as process:
        until((house / ".venv" / "all-but-uv.txt").exists)
        process.kill()
    assert not (house / ".venv" / "stormy.stamp").exists()
    assert_mended(house)


def test_two_at_once_wait_for_each_other(tmp_path: Path) -> None:
    house = make_small_house(tmp_path)
    with started(house, "bench", "styles") as one, started(house, "bench", "styles") as other:
        said = one.communicate(timeout=DEADLINE)[0] + other.communicate(timeout=DEADLINE)[0]
    assert (one.returncode, other.returncode) == (0, 0), said
    assert said.count("Setting up .venv") == 1
    assert said.count("measured") == 2


def test_pip_does_it_where_uv_cannot_and_by_our_settings(tmp_path: Path) -> None:
    house = make_small_house(tmp_path / "house")
    settings = tmp_path / "pip.conf"
    settings.write_text(
        f"[global]\ntarget = {tmp_path / 'elsewhere'}\nuser = true\nno-binary = :all:\n"
    )
    outcome = door(
        house,
        "bench",
        "styles",
        PIP_CONFIG_FILE=str(settings),
        PYTHONPATH=str(tmp_path),
        # uv's own switch, and a cache with nothing in it: pip takes no notice of either.
        UV_OFFLINE="1",
        UV_CACHE_DIR=str(tmp_path / "nothing"),
    )
    assert outcome.returncode == 0, outcome
    assert "Installing with pip" in outcome.stdout
    assert not (tmp_path / "elsewhere").exists()


# -- what stands in the way --------------------------------------------------------------------


def test_a_network_that_is_bad_and_then_gone(tmp_path: Path) -> None:
    house = make_small_house(tmp_path / "house")
    with socket.create_server(("127.0.0.1", 0)) as index:
        # It takes connections, and says nothing.
        process = started(
            house,
            "bench",
            "styles",
            PIP_CONFIG_FILE=os.devnull,
            PIP_INDEX_URL=f"http://127.0.0.1:{index.getsockname()[1]}/simple",
            PIP_FIND_LINKS="",
            PIP_CACHE_DIR=str(tmp_path / "pip"),
            UV_CACHE_DIR=str(tmp_path / "uv"),
        )
        with process as opened:
            assert opened.stdout
            assert "Setting up .venv" in opened.stdout.readline()
            assert "Still at work after 10 s" in opened.stdout.readline()
            # From here on nobody listens.
            index.close()
            last = opened.communicate(timeout=DEADLINE)[0].splitlines()[-1]
    assert opened.returncode == 1
    assert "cannot be fetched" in last and "connect to the network" in last


# Its newest wheel is for Python 3.9.
WITHOUT_WHEEL = """\
pyyaml==5.4.1 \\
    --hash=sha256:74c1485f7707cf707a7aef42ef6322b8f97921bd89be2ab6317fd782c2d53183
"""


@pytest.mark.parametrize("uv", [pin("uv"), ""], ids=["uv", "pip"])
def test_a_package_without_a_wheel_for_this_python(small: Path, uv: str) -> None:
    lock = small / "requirements.lock"
    kept = lock.read_bytes()
    lock.write_text(WITHOUT_WHEEL + uv, encoding="utf-8")
    try:
        outcome = door(small, "lab", "--version")
    finally:
        lock.write_bytes(kept)
    assert_one_sentence(outcome, "package pyyaml has no wheel", "take another machine")
    assert ("Installing with pip" in outcome.stdout) == (uv == "")


def test_the_pythons_that_are_named_are_those_of_ci() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    [listed] = re.findall(r"python: \[(.*)\]", workflow)
    first, *_, last = re.findall(r'"(.*?)"', listed)
    assert f"{first} to {last}" == PYTHONS


def with_shim(folder: Path, code: str) -> Mapping[str, str]:
    """An environment in which Python is another from the start."""
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(folder)}


def test_no_venv_module(tmp_path: Path) -> None:
    house = make_house(tmp_path / "house")
    shim = with_shim(tmp_path, "import sys\nsys.modules['venv'] = None\n")
    assert_one_sentence(door(house, "lab", **shim), "no venv module", "python3-venv")
    outcome = door(house, "check", **shim)
    assert outcome.returncode == 1
    assert "problem    set-up: this Python has no venv module" in outcome.stdout
    assert outcome.stdout.endswith("This machine is not ready.\n")


def test_half_a_venv_module_is_enough_where_uv_is_at_hand(tmp_path: Path) -> None:
    house = make_small_house(tmp_path / "house")
    # Ubuntu without python3-venv lacks this part, which brings a pip.
    code = "import sys\nsys.modules['ensurepip'] = None\n"
    outcome = door(house, "bench", "styles", **with_shim(tmp_path, code))
    assert outcome.returncode == 0, outcome
    assert "measured" in outcome.stdout


def test_not_enough_disk(tmp_path: Path) -> None:
    house = make_house(tmp_path / "house")
    usage = "shutil._ntuple_diskusage(9_000_000, 4_000_000, 5_000_000)"
    code = f"import shutil\nshutil.disk_usage = lambda _: {usage}\n"
    assert_one_sentence(
        door(house, "test", **with_shim(tmp_path, code)), "5 MB free", "make room"
    )


def test_too_few_open_files(ready: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="no such limit on this system")
    code = (
        "import resource\nresource.getrlimit = lambda _: (128, 128)\n"
        f"resource.RLIM_INFINITY = {resource.RLIM_INFINITY}\n"
    )
    outcome = door(ready, "check", **with_shim(tmp_path, code))
    assert outcome.returncode == 1
    assert "problem    open files: 128" in outcome.stdout


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    house = make_house(tmp_path / "house")
    # A folder in the lock file's place fails for root too, whom no permission keeps out.
    (house / ".workshop.lock").mkdir()
    assert_one_sentence(door(house, "lab"), "cannot be written to", "copy the project")


def test_a_file_in_the_place_of_the_environment(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    (house / ".venv").touch()
    assert_one_sentence(door(house, "lab"), "'.venv' is in the way", "move it")


def test_a_file_in_the_place_of_the_copies(ready: Path) -> None:
    (ready / "work").touch()
    try:
        assert_one_sentence(door(ready, "lab", "--version"), "'work' is in the way", "move it")
        assert "problem    lab: 'work' is in the way" in door(ready, "check").stdout
    finally:
        (ready / "work").unlink()


def test_a_python_that_is_too_old(tmp_path: Path) -> None:
    house = make_house(tmp_path / "house")
    code = "import sys\nsys.version_info = (3, 10, 4, 'final', 0)\n"
    outcome = door(house, "lab", **with_shim(tmp_path, code))
    assert_one_sentence(outcome, "this is Python 3.10", "needs 3.11 or newer")


@pytest.mark.skipif(sys.platform == "win32", reason="there py takes the newest by itself")
def test_a_newer_python_is_named_if_there_is_one(tmp_path: Path) -> None:
    house = make_house(tmp_path / "house")
    for name, code in (("python3.12", 0), ("python3.13", 127)):
        # Where versions are managed, a name may be there of a Python that is not.
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    shim = with_shim(tmp_path, "import sys\nsys.version_info = (3, 10, 4, 'final', 0)\n")
    outcome = door(house, "lab", PATH=str(tmp_path), **shim)
    assert_one_sentence(outcome, "this machine has one, so say `python3.12 workshop.py`")
    (tmp_path / "python3.12").unlink()
    outcome = door(house, "lab", PATH=str(tmp_path), **shim)
    assert_one_sentence(outcome, "install one, and start workshop.py with it")


OLD = sorted((Path.home() / ".pyenv" / "versions").glob("3.[6-9]*/bin/python"))


@pytest.mark.skipif(not OLD, reason="no Python from 3.6 to 3.9 is installed here")
@pytest.mark.parametrize("python", [str(python) for python in OLD])
def test_a_python_that_is_truly_too_old(tmp_path: Path, python: str) -> None:
    outcome = door(make_house(tmp_path), "lab", python=python)
    assert_one_sentence(outcome, "this is Python 3.", "needs 3.11 or newer")


# -- verbs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_page_names_every_verb(tmp_path: Path, arguments: list[str]) -> None:
    outcome = door(make_house(tmp_path), *arguments)
    assert outcome.returncode == 0
    for verb in ("lab", "check", "stick", "test", "slides", "refresh", "bench"):
        assert re.search(rf"^  {verb} +\S", outcome.stdout, re.MULTILINE)
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("option", ["-I", "-P"])
def test_a_python_that_looks_in_no_folder_by_itself_finds_the_tools(
    tmp_path: Path, option: str
) -> None:
    house = make_house(tmp_path / "house")
    command = [BASE, option, house / "workshop.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "workshop.py VERB" in done.stdout


def test_an_unknown_verb(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    assert_one_sentence(door(house, "labs"), "no verb 'labs'", "did you mean lab?", code=2)
    assert_one_sentence(door(house, "xyzzy"), "lab, check, stick, test", code=2)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house that is never set up, with a benchmark that has options."""
    house = make_house(tmp_path_factory.mktemp("bare") / "house")
    shutil.copytree(ROOT / "benchmarks" / "_shared", house / "benchmarks" / "_shared")
    shutil.copy(ROOT / "benchmarks" / "clients.py", house / "benchmarks")
    (house / "benchmarks" / "plain.py").write_text('parser("plain", __doc__).parse_args()')
    return house


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("check extra", "unrecognized arguments: extra"),
        ("check --nope", "unrecognized arguments: --nope"),
        ("lab --fresh", "argument --fresh: expected one argument"),
        ("lab --fresh nope", "there is no notebook 'nope'"),
        ("test tests/nope.py -x", "there is nothing to test at 'tests/nope.py'"),
        ("test tests/nope.py::test_it", "there is nothing to test at 'tests/nope.py'"),
        ("slides --nope", "unrecognized arguments: --nope"),
        ("slides extra", "unrecognized arguments: extra"),
        ("slides --output", "argument --output: expected one argument"),
        ("slides --output talk.pdf", "talk.pdf is the name of a PDF"),
        ("refresh nope", "there is no notebook nope"),
        ("refresh notebooks", "there is no notebook notebooks"),
        ("refresh workshop.py", "workshop.py is no notebook: its name ends in .ipynb"),
        ("refresh --nope", "unrecognized arguments: --nope"),
        ("bench nope", "there is no benchmark 'nope'"),
        (
            "bench clients --nope",
            "no option '--nope': it has --quick, --rounds, --main, --only",
        ),
        ("bench plain --nope=3", "no option '--nope': it has none"),
        ("bench --rounds=3", "unrecognized arguments: --rounds=3"),
        ("bench --quick clients", "unrecognized arguments: clients"),
    ],
)
def test_a_wrong_word_is_told_before_anything_is_installed(
    bare: Path, arguments: str, said: str
) -> None:
    outcome = door(bare, *arguments.split())
    assert outcome.returncode == 2, outcome
    assert outcome.stdout == ""
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not (bare / ".venv").exists()


@pytest.mark.parametrize("verb", ["lab", "check", "slides", "refresh", "bench"])
def test_a_verb_says_what_it_takes(bare: Path, verb: str) -> None:
    outcome = door(bare, verb, "--help")
    assert outcome.returncode == 0, outcome
    assert outcome.stdout.startswith(f"usage: workshop.py {verb}")
    assert not (bare / ".venv").exists()


@pytest.mark.parametrize(
    "name", ["01_callbacks", "01_callbacks.ipynb", "notebooks/01_callbacks.ipynb"]
)
def test_refresh_takes_a_notebook_by_its_name_as_lab_does(name: str) -> None:
    [page] = usage.of_refresh().parse_args(["--check", name]).notebook
    assert page == ROOT / "notebooks" / copies.file_of(name)
    [talk] = usage.of_refresh().parse_args(["stormy_webber"]).notebook
    assert talk == ROOT / "slides" / "stormy_webber.ipynb"


def test_arguments_and_exit_code_are_passed_on(small: Path) -> None:
    outcome = door(small, "bench", "styles", "--people=3", "fail")
    assert outcome.returncode == 3
    assert "measured ['--people=3', 'fail']" in outcome.stdout


def test_bench_lists_what_there_is(small: Path) -> None:
    assert_one_sentence(
        door(small, "bench", "nothing"), "no benchmark 'nothing'", "styles", code=2
    )
    listed = door(small, "bench", "--help").stdout
    assert re.search(r"^  styles +What tornado is worth\.\n +\(3 minutes\)$", listed, re.M)


STAND_IN = """\
\"\"\"A stand-in called {name}.

    python3 workshop.py bench {name} [--quick]
\"\"\"
import sys
{said}
print("{name} was given", sys.argv[1:], flush=True)
{does}
"""


@pytest.fixture
def benches(small: Path) -> Iterator[Callable[..., None]]:
    """Adds stand-ins to the benchmarks of a house."""
    added = []

    def add(name: str, said: str = "", does: str = "") -> None:
        path = small / "benchmarks" / f"{name}.py"
        path.write_text(STAND_IN.format(name=name, said=said, does=does), encoding="utf-8")
        added.append(path)

    yield add
    for path in added:
        path.unlink()


def test_without_a_name_all_benchmarks_are_run(
    small: Path, benches: Callable[..., None]
) -> None:
    benches("alone", "MINUTES = 1")
    benches("broken", "MINUTES = 2", "sys.exit(4)")
    benches("long", "MINUTES = 6\nIN_ALL = ('--main', '--rounds=2')")
    benches("never", "MINUTES = 50\nNOT_IN_ALL = 'it wants the moon'", "sys.exit(5)")
    outcome = door(small, "bench")
    said = outcome.stdout
    assert outcome.returncode == 1, outcome
    assert "never is left out: it wants the moon\n" in said
    assert "1 of 4: alone, 1 minute; 12 minutes until all are done\n" in said
    assert "A stand-in called broken.\n" in said
    assert "3 of 4: long, 6 minutes; 9 minutes until all are done\n" in said
    assert "alone was given []" in said
    assert "long was given ['--main', '--rounds=2']" in said
    assert "never was given" not in said
    # Whatever fails, the others go on, and the end says which it was.
    assert (
        said.index("broken was given") < said.index("long was given") < said.index("measured")
    )
    assert "3 of 4 are done, in 0 minutes." in said
    assert outcome.stderr.endswith("broken failed, with exit code 4\n")


def test_all_benchmarks_are_run_quickly(small: Path, benches: Callable[..., None]) -> None:
    benches("long", "IN_ALL = ('--main',)")
    benches("never", "NOT_IN_ALL = 'it wants the moon'")
    outcome = door(small, "bench", "--quick")
    assert outcome.returncode == 0, outcome
    assert "1 of 3: long, less than two minutes\n" in outcome.stdout
    assert "long was given ['--quick']" in outcome.stdout
    assert "never was given ['--quick']" in outcome.stdout
    assert "measured ['--quick']" in outcome.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="its signals end a program at once")
def test_all_benchmarks_end_when_one_is_ended(
    small: Path, benches: Callable[..., None]
) -> None:
    benches("alone", does="import signal\nsignal.pause()")
    benches("later")
    with started(small, "bench") as process:
        assert process.stdout
        while "alone was given" not in process.stdout.readline():
            pass
        process.terminate()
        said, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 143
    assert "later was given" not in said


def test_a_benchmark_that_ctrl_c_ends_has_no_traceback(
    small: Path, benches: Callable[..., None]
) -> None:
    benches("alone", does="import signal\nsignal.raise_signal(signal.SIGINT)")
    outcome = door(small, "bench")
    assert outcome.returncode == 1
    assert "alone was given" in outcome.stdout
    assert outcome.stderr.startswith("alone failed, with exit code ")
