"""Other people's Python: what the programs of the kit, and its kernels, take no notice of."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from classroom import in_a_process
from tests.kernels import PATIENCE, running_kernel
from tests.paths import ROOT
from tools import environment, namesakes, own_kernel

from .environments.of_ipython import profile

# What `python --help-env` of 3.11 to 3.15 lists.
LISTED = """\
PYTHONASYNCIODEBUG PYTHONBREAKPOINT PYTHONCASEOK PYTHONCOERCECLOCALE PYTHONDEBUG PYTHONDEVMODE
PYTHONDONTWRITEBYTECODE PYTHONEXECUTABLE PYTHONFAULTHANDLER PYTHONHASHSEED PYTHONHOME
PYTHONINSPECT PYTHONINTMAXSTRDIGITS PYTHONIOENCODING PYTHONLEGACYWINDOWSFSENCODING
PYTHONLEGACYWINDOWSSTDIO PYTHONMALLOC PYTHONMALLOCSTATS PYTHONNODEBUGRANGES PYTHONNOUSERSITE
PYTHONOPTIMIZE PYTHONPATH PYTHONPERFSUPPORT PYTHONPLATLIBDIR PYTHONPROFILEIMPORTTIME
PYTHONPYCACHEPREFIX PYTHONSAFEPATH PYTHONSTARTUP PYTHONTRACEMALLOC PYTHONUNBUFFERED
PYTHONUSERBASE PYTHONUTF8 PYTHONVERBOSE PYTHONWARNDEFAULTENCODING PYTHONWARNINGS
PYTHON_BASIC_REPL PYTHON_COLORS PYTHON_CONTEXT_AWARE_WARNINGS PYTHON_CPU_COUNT
PYTHON_DISABLE_REMOTE_DEBUG PYTHON_FROZEN_MODULES PYTHON_GIL PYTHON_HISTORY PYTHON_JIT
PYTHON_LAZY_IMPORTS PYTHON_PERF_JIT_SUPPORT PYTHON_PRESITE PYTHON_THREAD_INHERIT_CONTEXT
PYTHON_TLBC"""
VARIABLES = LISTED.split()

MINE = "raise SystemExit('this is mine')\n"
# The first line shows itself where each expression of a cell does, and not the last alone.
CELL = """\
6 * 7
import sys, pathlib, asyncio, random, requests, tornado, mine
await asyncio.sleep(0)
history = get_ipython().history_manager.hist_file
print(mine.WORD, pathlib.Path(history).is_relative_to(sys.prefix))
"""


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_of_python_reaches_no_program_of_the_kit(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    assert name not in environment.of_children()
    assert environment.of_children(**{name: "0"})[name] == "0"


def test_this_python_looks_at_no_other_variable() -> None:
    command = [sys.executable, "-I", "--help-env"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert {*re.findall(r"^(PYTHON\w+)", listed, re.MULTILINE)} <= {*VARIABLES}
    assert {*re.findall(r"^[A-Z_]{4,}\w*", listed, re.MULTILINE)} <= {*VARIABLES}


def test_a_kernel_of_the_kit_takes_nothing_of_the_person_s_for_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "work"
    beside.mkdir()
    for name in ("asyncio", "random", "requests", "tornado"):
        (beside / f"{name}.py").write_text(MINE)
    (beside / "mine.py").write_text("WORD = 'found'\n")
    profile(tmp_path / ".ipython")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    shown: list[Any] = []
    with running_kernel(beside) as (_, client):
        client.execute_interactive(CELL, timeout=PATIENCE, output_hook=shown.append)
    told = [message["content"] for message in shown if message["msg_type"] != "status"]
    assert [each.get("text") for each in told if "code" not in each] == ["found True\n"]


def test_what_the_kit_starts_looks_in_its_own_folder_last() -> None:
    assert in_a_process("import sys; print(sys.path[-1])") == str(ROOT)


def test_the_kit_has_no_name_of_a_library() -> None:
    found = namesakes.namesakes()
    assert [each for each in found if not each.startswith("work/")] == []


def test_the_file_of_a_package_stays_as_it_is(tmp_path: Path) -> None:
    """The one in `.venv` may be a link to it."""
    spec = tmp_path / own_kernel.SPEC
    spec.parent.mkdir(parents=True)
    kept = tmp_path / "kept.json"
    kept.write_text('{"argv": ["python"], "display_name": "Python 3"}')
    spec.hardlink_to(kept)
    own_kernel.fit(tmp_path)
    assert kept.read_text() == '{"argv": ["python"], "display_name": "Python 3"}'
    assert '"-P"' in spec.read_text() and "Python 3" in spec.read_text()
    assert [each.name for each in spec.parent.iterdir()] == ["kernel.json"]


@pytest.mark.parametrize("room", ["benchmarks", "classroom", "slides", "stormy_demo", "tools"])
def test_no_program_of_the_kit_is_started_without_a_safe_path(room: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / room).rglob("[!.]*.py")]
    starts = re.findall(r"""(?:sys\.executable|\[PYTHON),\s+"(-\w+)""", "".join(texts))
    assert {*starts} <= {"-I", "-P"}
