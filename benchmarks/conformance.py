"""requests' own tests, as they are, and underneath the event loop with each engine.

    python3 workshop.py bench conformance [--engine NAME] [--fast]

The tests are those of the version that is locked: its source archive is fetched with pip and
checked against the lock, the first time. They run against the installed requests, "stock", and
then once for each engine of `setup_session`, with each test in a greenlet on one running loop.
All runs go side by side, since most of their time is waiting. Four tests are left out, which
ask an address far away and wait until it has not answered.

Of the requests that an engine got, some may be handed on to another one, and those of adapters
that a test made for itself may be left alone: both are counted, and what held the loop is told.
A failure that is in `_conformance_known.py` is explained there. Any other, or one that passes
now, or an engine that was hardly used, makes the exit code 1; a run that could not begin, since
the archive is not at hand, makes it 3. A run of everything is written to
`benchmarks/results/conformance.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from _conformance_known import KNOWN, LEFT_ALONE, SLOW, TOO_FAR

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "conformance.json"
PLUGIN = ROOT / "benchmarks" / "_conformance_plugin.py"
CACHE = ROOT / ".conformance"
LOCK = ROOT / "requirements-all.lock"
STOCK = "stock"
ENGINES = ("simple", "curl", "sockets")
FAST = ("tests/test_adapters.py", "tests/test_lowlevel.py", "tests/test_testserver.py")
FAST_TOO = "tests/test_requests.py"
PARTS = ("tests/", "pyproject.toml", "requirements-dev.txt")
VERSIONS = ("requests", "urllib3", "tornado", "greenlet", "pycurl", "pytest", "httpbin")

# So many tests run at least, with so many requests through the engine: without, with --fast.
LEAST = {False: (600, 310), True: (340, 290)}
# Seconds. The pauses of the tests are half a second and more, and nobody waits longer at once.
HELD = 0.4
NOT_AT_HAND = 3


class NotAtHand(Exception):
    """Why there is nothing to run, as a sentence."""


class BrokeOff(Exception):
    """A run that came to no end, and the last it said."""


# -- the tests ---------------------------------------------------------------------------------


def fetched() -> Path:
    """Return the folder with requests' tests; the first time they are fetched."""
    pin = re.search(
        r"^requests==(\S+).*\n(?: +--hash=\S+.*\n)+", LOCK.read_text(), re.MULTILINE
    )
    assert pin, f"{LOCK.name} has no requests"
    if version("requests") != pin[1]:
        raise NotAtHand(f"requests {version('requests')} is installed, and {pin[1]} is locked")
    name = f"requests-{pin[1]}"
    folder = CACHE / name
    if not folder.is_dir():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as place:
            archive = download(pin[0], Path(place)) / f"{name}.tar.gz"
            with tarfile.open(archive) as archived:
                # Without the sources: what is tested is what is installed.
                wanted = [
                    member
                    for member in archived.getmembers()
                    if member.name.removeprefix(f"{name}/").startswith(PARTS)
                ]
                if hasattr(tarfile, "data_filter"):
                    archived.extractall(place, wanted, filter="data")
                else:
                    # The first Pythons of 3.11 have no filters; the hash was compared.
                    archived.extractall(place, wanted)
            # Another run may be as far.
            if not folder.is_dir():
                Path(place, name).rename(folder)
    return folder


def download(pin: str, place: Path) -> Path:
    """Let pip fetch a source archive into a folder, and compare its hash."""
    wish = place / "wish.txt"
    wish.write_text(pin, encoding="utf-8")
    pip = [sys.executable, "-I", "-m", "pip", "--no-input", "download", "--quiet", "--no-deps"]
    only = ["--no-binary=requests", "--require-hashes", f"--requirement={wish}"]
    done = subprocess.run(
        [*pip, *only, f"--dest={place}"], capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["pip said nothing"]
        why = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise NotAtHand(f"the source archive of requests cannot be fetched: {why}")
    return place


def chosen(fast: bool) -> list[str]:
    """Return what pytest is told about which tests to run."""
    without = [*TOO_FAR, *(SLOW if fast else ())]
    places = [*FAST, FAST_TOO] if fast else ["tests"]
    return [*places, *(f"--deselect={test}" for test in without)]


# -- the runs ----------------------------------------------------------------------------------


def run(
    folder: Path, engines: Iterable[str], arguments: list[str]
) -> dict[str, dict[str, Any]]:
    """Run tests with several engines side by side, and return what each run reports."""
    reports = {}
    options = ["-q", "--tb=short", "--color=no", "-p", "no:cacheprovider"]
    options += ["-p", "pytest_httpbin.plugin", "-p", "pytest_mock"]
    options += ["-o", "faulthandler_timeout=120", "-o", "faulthandler_exit_on_timeout=true"]
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        programs = {}
        for engine in engines:
            said = stack.enter_context(Path(place, f"{engine}.txt").open("w+"))
            report = Path(place, f"{engine}.json")
            program = subprocess.Popen(
                [sys.executable, PLUGIN, engine, report, *options, *arguments],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            stack.callback(program.wait)
            stack.callback(program.kill)
            programs[engine] = program, report, said
        for engine, (program, report, said) in programs.items():
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(timeout=600)
            if not report.exists():
                said.seek(0)
                raise BrokeOff(f"the run with {engine} broke off:\n{said.read()[-3000:]}")
            reports[engine] = told = json.loads(report.read_text(encoding="utf-8"))
            if Path(told["requests"]).is_relative_to(folder):
                raise BrokeOff(f"the run with {engine} tested the archive's own requests")
    return reports


def environment() -> dict[str, str]:
    """Return the environment without what bends requests, pytest, or the way to 127.0.0.1."""
    bends = re.compile(r".*_proxy|(requests|curl)_ca_bundle|pytest_.*|netrc", re.IGNORECASE)
    ours = {name: value for name, value in os.environ.items() if not bends.fullmatch(name)}
    ours["PYTHONPATH"] = str(ROOT)
    ours["PYTHONDONTWRITEBYTECODE"] = "1"
    # Plugins that happen to be installed have no part in this.
    ours["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return ours


# -- what it means -----------------------------------------------------------------------------


def judge(report: dict[str, Any], fast: bool) -> tuple[dict[str, str], list[str]]:
    """Return which failures of a run are explained, and what is wrong with it."""
    engine, outcomes = report["engine"], report["outcomes"]
    known, reasons = KNOWN[engine], report["reasons"]
    explained = {test: known[test] for test in reasons if test in known}
    wrong = [f"{test}: {why}" for test, why in reasons.items() if test not in known]
    wrong += [
        f"{test}: passes now, and is listed as known to fail"
        for test in known
        if outcomes.get(test) == "passed"
    ]
    if not fast:
        wrong += [
            f"{test}: is listed as known to fail, and there is no such test"
            for test in known
            if test not in outcomes
        ]
    return explained, [*wrong, *hollow(report, *LEAST[fast])]


def hollow(report: dict[str, Any], tests: int, requests: int) -> list[str]:
    """Return why a run says little about its engine, whatever passed.

    Args:
        report: what the run reports.
        tests: how many tests must have run.
        requests: how many requests must have gone through the engine.
    """
    engine, wrong = report["engine"], []
    ran = sum(outcome != "skipped" for outcome in report["outcomes"].values())
    if ran < tests or report["exit"] not in (0, 1):
        wrong.append(f"{ran} tests ran, at least {tests} should; pytest said {report['exit']}")
    sends = total(report["sends"])
    if sends < requests:
        wrong.append(
            f"{engine} was hardly used: {sends} requests went through it, "
            f"at least {requests} should"
        )
    if engine == STOCK:
        return wrong
    waits, answers, unwaited = report["waits"], report["answers"], total(report["unwaited"])
    if waits < answers:
        wrong.append(f"plain code waited {waits} times, and got {answers} answers")
    # One answer may be there at once; many cannot be.
    if unwaited * 10 > answers:
        wrong.append(f"the loop stood still for {unwaited} of {answers} answers")
    wrong += [
        f"{test}: the loop stood still for {held:.1f} s in a request"
        for test, held in report["held"].items()
        if held > HELD
    ]
    around = {*report["bypassed"], *report["elsewhere"], *report["blocked"]} - LEFT_ALONE[
        engine
    ]
    wrong += [f"{test}: its requests went around the engine" for test in sorted(around)]
    return wrong


def total(counts: dict[str, int]) -> int:
    return sum(counts.values())


def row(report: dict[str, Any], explained: dict[str, str]) -> dict[str, Any]:
    """Return what is kept of a run."""
    outcomes = list(report["outcomes"].values())
    return {
        "engine": report["engine"],
        "passed": outcomes.count("passed"),
        "failed": outcomes.count("failed"),
        "requests": total(report["sends"]),
        "handed_on": total(report["handed_on"]),
        "left_alone": total(report["bypassed"]),
        "waits": report["waits"],
        "seconds": report["seconds"],
        "failures": {test: explained.get(test, why) for test, why in report["reasons"].items()},
    }


def main() -> int:
    """Run, print a line and the failures for each engine, and return the exit code."""
    parser = argparse.ArgumentParser(prog="workshop.py bench conformance", description=__doc__)
    names = (STOCK, *ENGINES)
    parser.add_argument("--engine", action="append", choices=names, help="only this one")
    parser.add_argument("--fast", action="store_true", help="only what is quick")
    own = parser.parse_args()
    engines = [name for name in names if name in (own.engine or names)]
    try:
        reports = run(fetched(), engines, chosen(own.fast))
    except (NotAtHand, BrokeOff) as trouble:
        print(f"conformance: {trouble}", file=sys.stderr)
        return NOT_AT_HAND if isinstance(trouble, NotAtHand) else 1
    rows, sound = [], True
    for report in reports.values():
        explained, wrong = judge(report, own.fast)
        kept = row(report, explained)
        rows.append(kept)
        sound = sound and not wrong
        print(
            f"{kept['engine']}: {kept['passed']} passed, {kept['failed']} failed; "
            f"{kept['requests']} requests, {kept['handed_on']} of them handed on, "
            f"{kept['left_alone']} left alone, {kept['waits']} waits, {kept['seconds']:.0f} s"
        )
        for test, why in explained.items():
            print(f"  known: {test}: {why}")
        for sentence in wrong:
            print(f"  WRONG: {sentence}")
    if not own.fast and len(engines) == len(names):
        about = {
            "python": platform.python_version(),
            **{name: version(name) for name in VERSIONS},
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        }
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps({"about": about, "results": rows}, indent=2) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
