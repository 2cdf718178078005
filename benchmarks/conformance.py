"""The tests of requests and of requests-cache, as they are, underneath the event loop.

    python3 workshop.py bench conformance [--suite NAME] [--engine NAME] [--quick]

The tests are those of the versions that are locked: their source archives are fetched with pip
and checked against the lock, the first time. They run with requests as it is, "stock", and then
once for each engine of `setup_session`, with each test in a greenlet on one running loop. Those
of requests-cache run with "stock" and "sockets" alone, unless --engine says otherwise. All runs
go side by side, since most of their time is waiting, and each in a copy of the tests, since
some write files beside themselves. What is left out, and why, stands in
`benchmarks/_conformance/known.py`.

An engine may hand a request on to another one, and may leave alone those of an adapter that a
test made for itself: both are counted. A failure that stands in `known.py` is explained there.
Any other, or one that passes now, or a request that held the loop, or an engine that was hardly
used, makes the exit code 1; a run that could not begin, since an archive is not at hand, makes
it 3. A run of everything is written to `benchmarks/results/conformance.json`, unless
`--keep-nothing` is given. With `--quick`, or `--fast`, only tests that are quick are run, and
nothing is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from ._conformance import runs
from ._conformance.known import (
    CLOCK_MOVED,
    IN_THREADS,
    KNOWN,
    LEFT_ALONE,
    OUTSIDE,
    SLOW,
    WRONG_KEY,
)
from ._conformance.plugin import HTTPBIN
from ._conformance.runs import Job
from ._shared.command import parser
from ._shared.paths import ROOT
from ._shared.report import Row, about, keep

CACHE = ROOT / ".conformance"
LOCK = ROOT / "requirements-all.lock"
STOCK = "stock"
ENGINES = ("simple", "curl", "sockets")
# What is unpacked of an archive: the tests, and what they are configured with.
PARTS = ("tests/", "pyproject.toml", "requirements-dev.txt")
VERSIONS = ("urllib3", "tornado", "greenlet", "pycurl", "pytest", "httpbin")
# For how many seconds a request may hold the loop, those not counted in which the machine was
# busy with something else. The tests' own pauses are half a second and more, so one that blocks
# the loop is noticed.
MAX_HELD = 0.4
# Seconds for all runs.
LONGEST = 600
NOT_AT_HAND = 3
MINUTES = 3
NOT_IN_ALL = "it compares no speeds, and fetches archives from the network the first time"


@dataclass(frozen=True)
class Suite:
    """A library's own tests, and what is known of them.

    Attributes:
        library: its name in the lock.
        places: which of its tests are run, as pytest takes them.
        least: how many tests run at least, with so many requests through the engine.
        engines: what they run with when nobody says.
        without: tests that are left out.
        environment: variables that they look at.
        plugins: the plugins of pytest that they need.
        known: for each engine the tests that it fails, with the reason.
        left_alone: for each engine the tests whose requests may go around it.
        whole: whether these are all, and not only the quick ones.
    """

    library: str
    places: tuple[str, ...]
    least: tuple[int, int]
    engines: tuple[str, ...] = (STOCK, *ENGINES)
    without: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    plugins: tuple[str, ...] = (HTTPBIN, "pytest_mock")
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_alone: Mapping[str, Collection[str]] = field(default_factory=dict)
    whole: bool = True


SUITES = {
    "requests": Suite(
        library="requests",
        places=("tests",),
        least=(600, 310),
        without=OUTSIDE,
        known=KNOWN,
        left_alone=LEFT_ALONE,
    ),
    "requests-cache": Suite(
        library="requests-cache",
        # The other ones need a database server, or mocks in the place of the engine.
        places=(
            "tests/unit",
            "tests/integration/test_memory.py",
            "tests/integration/test_sqlite.py",
            "tests/integration/test_filesystem.py",
        ),
        least=(1000, 690),
        engines=(STOCK, "sockets"),
        without=(*CLOCK_MOVED, *WRONG_KEY),
        environment={"USE_PYTEST_HTTPBIN": "true"},
        left_alone=dict.fromkeys(ENGINES, IN_THREADS),
    ),
}
FAST = replace(
    SUITES["requests"],
    places=(
        "tests/test_adapters.py",
        "tests/test_lowlevel.py",
        "tests/test_testserver.py",
        "tests/test_requests.py",
    ),
    least=(340, 290),
    without=(*OUTSIDE, *SLOW),
    whole=False,
)

# Before pip hands a source archive over, it asks the archive's build backend for the metadata.
# The backend, hatchling, is not installed: this stands in for it, and answers with the metadata
# that the archive carries.
BACKEND = """
from email.parser import Parser
from pathlib import Path

def prepare_metadata_for_build_wheel(folder, settings=None):
    text = Path("PKG-INFO").read_text(encoding="utf-8")
    fields = Parser().parsestr(text)
    info = Path(folder, f"{fields['Name'].replace('-', '_')}-{fields['Version']}.dist-info")
    info.mkdir()
    (info / "METADATA").write_text(text, encoding="utf-8")
    return info.name
"""


class NotAtHand(Exception):
    """Why there is nothing to run, as a sentence."""


class BrokeOff(Exception):
    """A run that did not come to its end, and the last lines that it printed."""


# -- the tests ---------------------------------------------------------------------------------


def fetched(library: str) -> Path:
    """Return the folder with a library's tests; the first time they are fetched.

    Raises:
        NotAtHand: they cannot be fetched, or the library has another version than the lock.
    """
    pin = re.search(
        rf"^{re.escape(library)}==(\S+).*\n(?: +--hash=\S+.*\n)+",
        LOCK.read_text(),
        re.MULTILINE,
    )
    assert pin, f"{LOCK.name} has no {library}"
    try:
        installed = version(library)
    except PackageNotFoundError:
        raise NotAtHand(f"{library} is not installed") from None
    if installed != pin[1]:
        raise NotAtHand(f"{library} {installed} is installed, and {pin[1]} is locked")
    name = f"{library.replace('-', '_')}-{pin[1]}"
    folder = CACHE / name
    if not folder.is_dir():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as place:
            archive = download(library, pin[0], Path(place)) / f"{name}.tar.gz"
            with tarfile.open(archive) as archived:
                # Without the library itself: what is tested is what is installed.
                wanted = [
                    member
                    for member in archived.getmembers()
                    if member.name.removeprefix(f"{name}/").startswith(PARTS)
                ]
                if hasattr(tarfile, "data_filter"):
                    archived.extractall(place, wanted, filter="data")
                else:
                    # Python before 3.11.4 has no filters; pip has compared the hash.
                    archived.extractall(place, wanted)
            # Another run may have put it there meanwhile.
            if not folder.is_dir():
                Path(place, name).rename(folder)
    return folder


def download(library: str, pin: str, place: Path) -> Path:
    """Let pip fetch a source archive, and nothing else, into a folder, and compare its hash.

    Args:
        library: the library.
        pin: its lines in the lock, with the hashes.
        place: the folder, which is returned.

    Raises:
        NotAtHand: pip could not do it.
    """
    requirement = place / "requirement.txt"
    requirement.write_text(pin, encoding="utf-8")
    backend = place / "backend"
    (backend / "hatchling").mkdir(parents=True)
    (backend / "hatchling" / "build.py").write_text(BACKEND, encoding="utf-8")
    pip = [sys.executable, "-I", "-m", "pip", "--no-input", "download", "--quiet", "--no-deps"]
    only = ["--no-build-isolation", f"--no-binary={library}", "--require-hashes"]
    done = subprocess.run(
        [*pip, *only, f"--requirement={requirement}", f"--dest={place}"],
        # pip itself is isolated from it; the process in which pip asks the backend is not.
        env={**os.environ, "PYTHONPATH": str(backend)},
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["pip said nothing"]
        why = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise NotAtHand(f"the source archive of {library} cannot be fetched: {why}")
    return place


# -- the runs ----------------------------------------------------------------------------------


def run(jobs: Iterable[tuple[Suite, Path, str]]) -> list[dict[str, Any]]:
    """Run tests side by side, and return what each run reports.

    Args:
        jobs: for each run the suite, the folder with its tests, and the engine.

    Raises:
        BrokeOff: a run did not come to its end.
    """
    options = ["-q", "--tb=short", "--color=no", "-p", "no:cacheprovider"]
    # To take each assert apart is a tenth of the work, and says more only where one fails.
    options += ["--assert=plain"]
    options += ["-o", "faulthandler_timeout=120", "-o", "faulthandler_exit_on_timeout=true"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        planned = list[Job]()
        reports = list[dict[str, Any]]()
        for number, (suite, folder, engine) in enumerate(jobs := list(jobs)):
            own = Path(place, str(number))
            # Not one within the other: some tests assume that the folder for temporary files is
            # outside of their own.
            tests, spare = own / "suite", own / "spare"
            shutil.copytree(folder, tests)
            spare.mkdir()
            named = [f"-p{plugin}" for plugin in suite.plugins]
            named += [f"--deselect={test}" for test in suite.without]
            words = [engine, str(own / "report.json"), *options, *suite.places, *named]
            planned.append(
                {
                    "words": words,
                    "folder": str(tests),
                    "environment": environment(suite, spare),
                    "output": str(own / "output.txt"),
                }
            )
        said = do_all(planned, Path(place, "jobs.json"))
        for (suite, _, engine), job in zip(jobs, planned, strict=True):
            name, report = f"{suite.library} on {engine}", Path(job["words"][1])
            if not report.exists():
                said += Path(job["output"]).read_text(encoding="utf-8", errors="replace")
                raise BrokeOff(f"the run of {name} broke off:\n{said[-3000:]}")
            result = json.loads(report.read_text(encoding="utf-8"))
            if Path(result["requests"]).is_relative_to(job["folder"]):
                raise BrokeOff(f"the run of {name} tested the archive's own requests")
            reports.append(result)
    return reports


def do_all(planned: list[Job], file: Path) -> str:
    """Do runs side by side, and end those that have not ended after ten minutes.

    Args:
        planned: the runs.
        file: where they can be written down.

    Returns:
        What was said by the process that does them.
    """
    file.write_text(json.dumps(planned), encoding="utf-8")
    output = file.with_suffix(".txt")
    with (
        output.open("w") as told,
        subprocess.Popen(
            [sys.executable, "-P", "-m", runs.__name__, file],
            cwd=ROOT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
        ) as program,
    ):
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(timeout=LONGEST)
        finally:
            family = list[psutil.Process]()
            with contextlib.suppress(psutil.NoSuchProcess):
                family = psutil.Process(program.pid).children(recursive=True)
            program.kill()
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
    return output.read_text(encoding="utf-8", errors="replace")


def environment(suite: Suite, spare: Path) -> dict[str, str]:
    """Return the environment, with nothing but what a Python and the system need.

    Much of the rest changes how requests, curl or pytest behave. And for each request the whole
    of it is searched for proxies, several times.

    Args:
        suite: whose tests run in it.
        spare: a folder for temporary files and caches.
    """
    needed = re.compile(
        r"PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|LD_LIBRARY_PATH|DYLD_.*|PYTHON.*|COVERAGE_.*"
        r"|SYSTEM(ROOT|DRIVE)|WINDIR|COMSPEC|PATHEXT|TE?MP|USER(NAME|PROFILE)|(LOCAL)?APPDATA",
        re.IGNORECASE,
    )
    ours = {name: value for name, value in os.environ.items() if needed.fullmatch(name)}
    ours["PYTHONDONTWRITEBYTECODE"] = "1"
    # Of the plugins that are installed only those run that the suite names.
    ours["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    ours |= dict.fromkeys(("TMPDIR", "XDG_CACHE_HOME"), str(spare))
    return ours | dict(suite.environment)


# -- what it means -----------------------------------------------------------------------------


def judge(report: dict[str, Any], suite: Suite) -> tuple[dict[str, str], list[str]]:
    """Return the failures of a run that are known, with their reasons, and what is wrong."""
    engine, outcomes = report["engine"], report["outcomes"]
    known, reasons = suite.known.get(engine, {}), report["reasons"]
    explained = {test: known[test] for test in reasons if test in known}
    wrong = [f"{test}: {why}" for test, why in reasons.items() if test not in known]
    wrong += [
        f"{test}: passes now, and is listed as known to fail"
        for test in known
        if outcomes.get(test) == "passed"
    ]
    if suite.whole:
        wrong += [
            f"{test}: is listed as known to fail, and there is no such test"
            for test in known
            if test not in outcomes
        ]
    return explained, [*wrong, *doubts(report, suite)]


def doubts(report: dict[str, Any], suite: Suite) -> list[str]:
    """Return why a run proves little about its engine, whatever passed."""
    engine, wrong = report["engine"], list[str]()
    tests, requests = suite.least
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
    # A few answers may have come before anybody waits for them; many cannot have.
    if unwaited * 10 > answers:
        wrong.append(f"the loop stood still for {unwaited} of {answers} answers")
    wrong += [
        f"{test}: the loop stood still for {held:.1f} s in a request"
        for test, held in report["held"].items()
        if held > MAX_HELD
    ]
    passed_by = {*report["bypassed"], *report["elsewhere"], *report["blocked"]}
    passed_by -= {*suite.left_alone.get(engine, ())}
    wrong += [f"{test}: its requests went around the engine" for test in sorted(passed_by)]
    return wrong


def total(counts: dict[str, int]) -> int:
    return sum(counts.values())


def row(report: dict[str, Any], suite: Suite, explained: dict[str, str]) -> Row:
    """Return what is kept of a run."""
    outcomes = list(report["outcomes"].values())
    return {
        "suite": suite.library,
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
    """Run, print a line and the failures for each run, and return the exit code."""
    options = parser("conformance", __doc__)
    names = (STOCK, *ENGINES)
    options.add_argument("--suite", action="append", choices=SUITES, help="only this one")
    options.add_argument("--engine", action="append", choices=names, help="only this one")
    options.add_argument(
        "--quick", "--fast", dest="fast", action="store_true", help="only what is quick"
    )
    options.add_argument(
        "--keep-nothing", action="store_true", help="leave the result that is kept as it is"
    )
    given = options.parse_args()
    if given.fast and given.suite not in (None, ["requests"]):
        options.error("--fast has tests of requests only")
    suites = [suite for name, suite in SUITES.items() if name in (given.suite or SUITES)]
    wanted = [
        (suite, engine)
        for suite in ([FAST] if given.fast else suites)
        for engine in names
        if engine in (given.engine or suite.engines)
    ]
    try:
        folders = {suite.library: fetched(suite.library) for suite, _ in wanted}
        reports = run([(suite, folders[suite.library], engine) for suite, engine in wanted])
    except (NotAtHand, BrokeOff) as trouble:
        print(f"conformance: {trouble}", file=sys.stderr)
        return NOT_AT_HAND if isinstance(trouble, NotAtHand) else 1
    rows, sound = [], True
    for (suite, engine), report in zip(wanted, reports, strict=True):
        explained, wrong = judge(report, suite)
        kept = row(report, suite, explained)
        rows.append(kept)
        sound = sound and not wrong
        print(
            f"{engine if suite.library == 'requests' else f'{suite.library} on {engine}'}: "
            f"{kept['passed']} passed, {kept['failed']} failed; "
            f"{kept['requests']} requests, {kept['handed_on']} of them handed on, "
            f"{kept['left_alone']} left alone, {kept['waits']} waits, {kept['seconds']:.0f} s"
        )
        for test, why in explained.items():
            print(f"  known: {test}: {why}")
        for sentence in wrong:
            print(f"  WRONG: {sentence}")
    ran = [(suite.library, engine) for suite, engine in wanted if suite.whole]
    if not given.keep_nothing and all(
        (suite.library, name) in ran for suite in SUITES.values() for name in suite.engines
    ):
        keep("conformance", {"about": about(*SUITES, *VERSIONS), "results": rows})
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
