"""Runs of tests side by side, each in a process of its own.

    python -P -m benchmarks._conformance.runs JOBS

JOBS is a JSON file, a list of what `Job` has. To import what all of them need takes as long as
a quarter of a run, so it is imported once, and they are forked. It is nothing that an engine
changes, or a test of theirs looks at: what is tested is imported in each of them.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypedDict

from . import plugin

# What the server of the tests is made of.
SERVER = ("httpbin", "werkzeug.serving")
# Not while lines are counted: that begins as a Python does.
CAN_FORK = sys.platform == "linux" and "COVERAGE_PROCESS_CONFIG" not in os.environ


class Job(TypedDict):
    """A run.

    Attributes:
        python: the Python that it runs with.
        words: the engine, the file for the report, and the arguments of pytest.
        folder: where it runs.
        environment: its environment.
        output: the file for what it prints.
    """

    python: str
    words: list[str]
    folder: str
    environment: dict[str, str]
    output: str


def start(job: Job) -> subprocess.Popen[bytes]:
    """Start a run in a Python of its own."""
    with Path(job["output"]).open("wb") as output:
        return subprocess.Popen(
            # With -P no module is taken from the folder of somebody else's tests.
            [job["python"], "-P", "-m", plugin.__name__, *job["words"]],
            cwd=job["folder"],
            env=job["environment"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def become(job: Job) -> None:
    """Have what a process has that was started for a run."""
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    tempfile.tempdir = None
    with Path(job["output"]).open("wb") as output:
        for own in (1, 2):
            os.dup2(output.fileno(), own)


def main(file: str) -> int:
    """Do all runs, and return an exit code: that of a run, in the process of a run."""
    jobs: list[Job] = json.loads(Path(file).read_text(encoding="utf-8"))
    if not CAN_FORK or any(job["python"] != sys.executable for job in jobs):
        for program in [start(job) for job in jobs]:
            program.wait()
        return 0
    if any(f"-p{plugin.HTTPBIN}" in job["words"] for job in jobs):
        for name in SERVER:
            # What is not installed is told by the run.
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    # What is here already never becomes garbage, and to look at it would copy it.
    gc.collect()
    gc.freeze()
    for job in jobs:
        if not os.fork():
            become(job)
            return plugin.main(*job["words"])
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
