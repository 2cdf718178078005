"""All benchmarks, one after another: what `workshop.py bench` does without a name.

Standard library only: what a benchmark says of itself is read, and not imported. In its module
`MINUTES` is how long a whole run takes on two idle processors, with the options in `IN_ALL` if
it has these: a benchmark that takes long has a shorter run for when all are run. One that says
`NOT_IN_ALL` says why it is left out then.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import started
from tools.paths import ROOT
from tools.reading import tree

UNKNOWN = 3  # minutes, where a benchmark does not say
STOPPED, ENDED = 130, 143  # exit codes: by Ctrl-C, and by SIGTERM


@dataclass(frozen=True)
class Bench:
    """A benchmark, and what it says of itself.

    Attributes:
        name: its module.
        question: the first sentence of its docstring.
        minutes: how long it takes when all are run.
        options: what it is given then.
        why_not: why it is not among all, if it is not.
    """

    name: str
    question: str
    minutes: int = UNKNOWN
    options: tuple[str, ...] = ()
    why_not: str = ""


def read(module: Path) -> Bench:
    """Return what a benchmark says of itself."""
    read_tree = tree(module)
    said: dict[str, Any] = {}
    for node in read_tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                said[node.targets[0].id] = ast.literal_eval(node.value)
    question = (ast.get_docstring(read_tree) or "").partition("\n\n")[0]
    return Bench(
        module.stem,
        " ".join(question.split()),
        said.get("MINUTES", UNKNOWN),
        said.get("IN_ALL", ()),
        said.get("NOT_IN_ALL", ""),
    )


def found(folder: Path = ROOT / "benchmarks") -> list[Bench]:
    """Return all benchmarks that there are, by name."""
    return [read(module) for module in sorted(folder.glob("[!._]*.py"))]


def minutes(number: float) -> str:
    """Return a time in words."""
    whole = round(number)
    return f"{whole} minute" if whole == 1 else f"{whole} minutes"


def listing() -> str:
    """Return a line or two for each benchmark, with its question."""
    lines = []
    for bench in found():
        takes = bench.why_not or minutes(bench.minutes)
        lines += [f"  {bench.name:<14} {bench.question}", f"  {'':<14} ({takes})"]
    return "\n".join(lines)


class _Runner:
    """Runs benchmarks until it is told to end."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.ended = 0

    def end(self, *_: object) -> None:
        self.ended = ENDED
        if self.child:
            self.child.terminate()

    def run(self, bench: Bench, options: tuple[str, ...]) -> int:
        if self.ended:
            return self.ended
        command = started.command(sys.executable, f"benchmarks.{bench.name}", *options)
        started.hold_signals()
        with subprocess.Popen(command, cwd=ROOT) as self.child:
            if self.ended:
                # It was told so while the child was made.
                self.child.terminate()
            while True:
                try:
                    started.let_signals_come()
                    code = self.child.wait()
                except KeyboardInterrupt:
                    # It has come to the benchmark too, which ends what it has started.
                    self.ended = STOPPED
                    continue
                return code


def run_all(quick: bool) -> int:
    """Run all benchmarks, and say how far it is; return the exit code.

    Args:
        quick: whether each is run in its quick way, which keeps nothing.
    """
    runner = _Runner()
    signal.signal(signal.SIGTERM, runner.end)
    benches = found()
    if not quick:
        for bench in benches:
            if bench.why_not:
                print(f"{bench.name} is left out: {bench.why_not}")
        benches = [bench for bench in benches if not bench.why_not]
    start, failed = time.monotonic(), []
    for number, bench in enumerate(benches):
        left = sum(each.minutes for each in benches[number:])
        takes = "less than two minutes" if quick else minutes(bench.minutes)
        then = "" if quick else f"; {minutes(left)} until all are done"
        print(f"\n{number + 1} of {len(benches)}: {bench.name}, {takes}{then}")
        print(f"{bench.question}\n", flush=True)
        code = runner.run(bench, ("--quick",) if quick else bench.options)
        if runner.ended:
            print(f"stopped at {bench.name}: older results stay from there on", file=sys.stderr)
            return runner.ended
        if code:
            failed.append(f"{bench.name} failed, with exit code {code}")
    took = (time.monotonic() - start) / 60
    print(f"\n{len(benches) - len(failed)} of {len(benches)} are done, in {minutes(took)}.")
    for sentence in failed:
        print(sentence, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each quickly; keep nothing")
    try:
        sys.exit(run_all(parser.parse_args().quick))
    except KeyboardInterrupt:
        # Between two of them.
        sys.exit(STOPPED)
