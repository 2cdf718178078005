"""Ctrl-C, and SIGTERM, in the first moments of the door, and of what it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.houses import DEADLINE, Outcome, door, environment, make_house, until
from tests.paths import ROOT
from tools.started import command

STOPPED = "\nworkshop.py: stopped; the same command goes on from here.\n"
INTERRUPT = "import signal\nsignal.raise_signal(signal.SIGINT)\n"
BY_SIGNAL = pytest.mark.skipif(sys.platform == "win32", reason="there no signal is held back")
# A verb that runs a module, with what happens when its process is there.
DOOR = """\
import os, signal, subprocess, sys, workshop

class Popen(subprocess.Popen):
    def __init__(self, *command, **options):
        super().__init__(*command, **options)
        {then}

workshop.subprocess.Popen, workshop.PYTHON = Popen, sys.executable
workshop.VERBS["lab"] = lambda _: workshop.run("a_module", PYTHONPATH={folder!r})
sys.exit(workshop.main(["lab"]))
"""


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house whose door hears Ctrl-C while it imports its tools."""
    house = make_house(tmp_path_factory.mktemp("interrupted") / "house")
    (house / "tools" / "__init__.py").write_text(INTERRUPT)
    return house


@pytest.mark.parametrize(
    "words",
    ["check", "lab", "stick there", "test", "slides", "refresh", "bench", "--help", "labs", ""],
)
def test_the_door_is_stopped_while_it_imports(interrupted: Path, words: str) -> None:
    outcome = door(interrupted, *words.split())
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (130, "", STOPPED)
    assert not (interrupted / ".venv").exists()


@BY_SIGNAL
def test_where_ctrl_c_is_ignored_it_stays_so(interrupted: Path) -> None:
    """As of what a shell starts in the background."""
    line = f"trap '' INT; {sys.executable} workshop.py --help"
    done = subprocess.run(["sh", "-c", line], cwd=interrupted, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def run(folder: Path, module: str, then: str = "pass") -> Outcome:
    (folder / "a_module.py").write_text(module)
    return subprocess.run(
        [sys.executable, "-c", DOOR.format(then=then, folder=str(folder))],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def test_what_the_door_starts_is_stopped_while_it_imports(tmp_path: Path) -> None:
    done = run(tmp_path, INTERRUPT)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", STOPPED)


WAITS = "import time\ntime.sleep(500)\n"


@BY_SIGNAL
def test_what_the_door_starts_hears_ctrl_c_before_its_python_runs(tmp_path: Path) -> None:
    done = run(tmp_path, WAITS, "self.send_signal(signal.SIGINT)")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", STOPPED)


@BY_SIGNAL
@pytest.mark.parametrize("who", ["self.pid", "os.getpid()"])
def test_nobody_is_left_of_what_sigterm_ends_at_once(tmp_path: Path, who: str) -> None:
    done = run(tmp_path, WAITS, f"os.kill({who}, signal.SIGTERM)")
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


def test_what_fails_by_itself_has_its_traceback_and_its_arguments(tmp_path: Path) -> None:
    done = run(tmp_path, "import sys\nprint(__name__, *sys.argv[1:])\n1 / 0\n")
    assert (done.returncode, done.stdout) == (1, "__main__\n")
    assert done.stderr.endswith("\nZeroDivisionError: division by zero\n")


@BY_SIGNAL
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, -2), (signal.SIGTERM, 143)])
def test_refresh_ends_its_kernel_and_leaves_the_notebook(
    tmp_path: Path, signum: signal.Signals, code: int
) -> None:
    begun, notebook = tmp_path / "begun", tmp_path / "a.ipynb"
    cell = (
        f"import os, time\nopen({str(begun)!r}, 'w').write(str(os.getpid()))\ntime.sleep(500)"
    )
    written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbformat.write(written, notebook)
    before = notebook.read_bytes()
    with subprocess.Popen(
        command(sys.executable, "tools.refresh", str(notebook)),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        until(lambda: begun.exists() and bool(begun.read_text()))
        process.send_signal(signum)
        assert process.wait(DEADLINE) == code
        assert process.stdout.read() == ""
    assert notebook.read_bytes() == before
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)
