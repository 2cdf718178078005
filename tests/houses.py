"""Copies of the project with a door: set up in a folder of their own, and used as people do.

A house has the real lock. Small houses have locks that are cut down to a few packages, so that
a set-up takes seconds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue

from classroom.scripts import free_port
from tests.paths import ROOT

BASE = getattr(sys, "_base_executable", sys.executable)
DEADLINE = 600  # seconds: a machine may be slow, and only a machine that hangs is wrong

NOTEBOOK = """\
{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 7,
   "id": "zero",
   "metadata": {
    "tags": []
   },
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "the answer"
     ]
    }
   ],
   "source": [
    "print('the answer, für alle')"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 8,
   "id": "one",
   "metadata": {
    "tags": [
     "author"
    ]
   },
   "outputs": [],
   "source": [
    "assert True"
   ]
  },
  {
   "cell_type": "markdown",
   "id": "two",
   "metadata": {
    "tags": [
     "answer"
    ]
   },
   "source": [
    "It printed the answer,\\n",
    "for all."
   ]
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
"""

Outcome = subprocess.CompletedProcess[str]


def make_house(house: Path) -> Path:
    """Copy what the door needs, and lay two small notebooks beside it."""
    for room in ("tools", "classroom", "stormy_demo", "loopfilm", "trequests", "tornalet"):
        # With what is compiled, which fits as long as a file keeps its date.
        shutil.copytree(ROOT / room, house / room, ignore=half_compiled)
    for name in ("workshop.py", "pyproject.toml", "requirements.lock", "requirements-all.lock"):
        shutil.copy(ROOT / name, house)
    (house / "notebooks").mkdir(parents=True)
    for name in ("01_callbacks", "02_coroutines"):
        (house / "notebooks" / f"{name}.ipynb").write_text(NOTEBOOK, encoding="utf-8")
    exercise = house / "exercises" / "01_callbacks" / "join"
    (exercise / "wrong").mkdir(parents=True)
    (house / "exercises" / "__init__.py").touch()
    (exercise / "solution.py").write_text("answer = 42\n")
    (exercise / "wrong" / "close.py").write_text("answer = 41\n")
    (house / "benchmarks").mkdir()
    (house / "benchmarks" / "styles.py").write_text(
        '"""What tornado is worth."""\n'
        "import sys, tornado.web, stormy_demo\n"
        "print('measured', sys.argv[1:])\n"
        "sys.exit(3 if 'fail' in sys.argv else 0)\n"
    )
    return house


def half_compiled(folder: str, names: list[str]) -> list[str]:
    """What another process may be writing in a folder of compiled modules just now."""
    if Path(folder).name != "__pycache__":
        return []
    return [name for name in names if not name.endswith(".pyc")]


def lend_compiled(house: Path) -> None:
    """Lay beside the packages of a house what is compiled of those of these tests.

    To compile JupyterLab takes several times as long as to set a house up. Python looks at the
    date and the size of a module, and compiles anew whatever is another here.
    """
    theirs = Path(sysconfig.get_path("purelib", "venv", {"base": str(house / ".venv")}))
    ours = Path(sysconfig.get_path("purelib"))
    for folder, names, _ in os.walk(theirs):
        if "__pycache__" in names:
            names.remove("__pycache__")
        target = Path(folder, "__pycache__")
        for file in (ours / Path(folder).relative_to(theirs) / "__pycache__").glob("*.pyc"):
            target.mkdir(exist_ok=True)
            # A link is as good: what is compiled anew takes its place, and changes no file.
            with suppress(OSError):
                os.link(file, target / file.name)


def make_small_house(house: Path) -> Path:
    """A house whose locks hold two packages only."""
    make_house(house)
    for lock in ("requirements.lock", "requirements-all.lock"):
        (house / lock).write_text(pin("tornado") + pin("uv"), encoding="utf-8")
    return house


def pin(name: str) -> str:
    """What the lock says of one package."""
    text = (ROOT / "requirements-all.lock").read_text(encoding="utf-8")
    (block,) = re.findall(rf"^{name}==.*\n(?: +--hash.*\n)+", text, re.MULTILINE)
    return str(block)


def environment(**changes: str) -> dict[str, str]:
    """This environment, without what a test run adds to it."""
    added = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "JUPYTER", "CI")
    return {k: v for k, v in os.environ.items() if not k.startswith(added)} | changes


def door(
    house: Path,
    *arguments: str,
    python: str = BASE,
    options: Sequence[str] = (),
    **changes: str,
) -> Outcome:
    """Run one verb, and wait for it."""
    return subprocess.run(
        [python, *options, "workshop.py", *arguments],
        cwd=house,
        env=environment(**changes),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=DEADLINE,
    )


def assert_one_sentence(outcome: Outcome, *parts: str, code: int = 1) -> None:
    """It failed with one line that says these things."""
    assert outcome.returncode == code, outcome
    assert outcome.stderr.startswith("workshop.py: ")
    assert outcome.stderr.count("\n") == 1, outcome.stderr
    for part in parts:
        assert part in outcome.stderr


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@contextmanager
def started(house: Path, *arguments: str, **changes: str) -> Iterator[subprocess.Popen[str]]:
    """A verb that goes on running; killed at the end if it still does."""
    with subprocess.Popen(
        [BASE, "workshop.py", *arguments],
        cwd=house,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


Lab = tuple[str, list[str], subprocess.Popen[str]]


@contextmanager
def running_lab(house: Path, *arguments: str, **changes: str) -> Iterator[Lab]:
    """JupyterLab, once it listens: its address, what it has said so far, and the door."""
    said: list[str] = []
    port = free_port()
    # A value in the next word is JupyterLab's, too.
    ours = ["--no-browser", "--port", str(port), "--ServerApp.port_retries=0"]
    ours += ["--IdentityProvider.token=letmein", *arguments]
    with started(house, "lab", *ours, **changes) as process:
        lines: Queue[str] = Queue()

        def read() -> None:
            # The pipe may be closed under our hands, when a test has failed.
            with suppress(ValueError):
                for line in process.stdout or ():
                    lines.put(line)
            lines.put("")

        def answers() -> bool:
            with suppress(OSError):
                return bool(ask(f"http://127.0.0.1:{port}/api/status"))
            return False

        threading.Thread(target=read, daemon=True).start()
        while "is running at" not in "".join(said):
            try:
                line = lines.get(timeout=DEADLINE)
            except Empty:
                line = ""
            assert line, f"JupyterLab did not come up:\n{''.join(said)}"
            said.append(line)
        while f":{port}/lab" not in said[-1]:
            said.append(lines.get(timeout=DEADLINE))
        # It says so a moment before it listens.
        until(answers)
        yield f"http://127.0.0.1:{port}", said, process
        assert process.wait(DEADLINE) == 0, "".join(said)


def ask(url: str, method: str = "GET", **content: object) -> bytes:
    request = urllib.request.Request(
        url,
        method=method,
        headers={"Authorization": "token letmein"},
        data=json.dumps(content).encode() if content else None,
    )
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return bytes(answer.read())
