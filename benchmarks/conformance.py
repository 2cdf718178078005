"""The tests of requests, and of libraries that use it, as they are, underneath the event loop.

    python3 workshop.py bench conformance [--suite NAME] [--engine NAME] [--quick] [--versions]
                                          [--stock-as-kept]

The tests are those of the versions that are locked: their source archives are fetched with pip
and checked against the lock, the first time. They run with requests as it is, "stock", and then
once for each engine of `setup_session`, with each test in a greenlet on one running loop. Those
of requests-cache run with "stock" and "sockets" alone, unless --engine says otherwise. All runs
go side by side, since most of their time is waiting, and each in a copy of the tests, since
some write files beside themselves.

The other libraries live in an environment of their own, made from `_conformance/suites.lock`;
their suites run one after another, "simple" and "sockets" beside "stock" (without "simple" for
HTTPie, whose tests take longest), and connect to nothing but this machine. Each test makes as
many requests with an engine as with "stock". With `--versions` requests' own tests run with the
oldest requests and urllib3 that are allowed, those of `_conformance/oldest.lock`, and with the
newest that `suites.lock` has; nothing is kept then. What is left out, and why, stands in
`benchmarks/_conformance/known.py`.

An engine may hand a request on to another one, and may leave alone those of an adapter that a
test made for itself: both are counted. A failure that stands in `known.py` is explained there.
Any other, or one that passes now, or a request that held the loop, or an engine that was hardly
used, makes the exit code 1; a run that could not begin, since an archive is not at hand, makes
it 3. A run of everything is written to `benchmarks/results/conformance.json`, unless
`--keep-nothing` is given. With `--quick`, or `--fast`, only tests that are quick are run, and
nothing is kept. With `--stock-as-kept` requests as it is runs only if the result that is kept
comes from other versions; otherwise as many tests and requests are demanded as it has.
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
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from ._conformance import runs
from ._conformance.known import (
    BUSY_THREADS,
    CLOCK_MOVED,
    HTTPIE,
    IN_PROCESSES,
    IN_THREADS,
    KNOWN,
    KNOWN_OF_GOOGLE_AUTH,
    KNOWN_OF_VCRPY,
    NOT_IN_ARCHIVE,
    OUTSIDE,
    RACES,
    SLOW,
    WRONG_KEY,
)
from ._conformance.plugin import HTTPBIN, STAYS, TRUSTS
from ._conformance.runs import Job
from ._shared.command import parser
from ._shared.environments import NoEnvironment
from ._shared.environments import environment as own_environment
from ._shared.paths import BENCHMARKS, ROOT
from ._shared.report import Row, about, keep, result_file

CACHE = ROOT / ".conformance"
LOCK = ROOT / "requirements-all.lock"
SUITES_LOCK = BENCHMARKS / "_conformance" / "suites.lock"
OLDEST_LOCK = BENCHMARKS / "_conformance" / "oldest.lock"
# The environments that are made from them. What is locked in LOCK is in that of the kit.
ENVIRONMENTS = {SUITES_LOCK: "conformance", OLDEST_LOCK: "conformance_oldest"}
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
LONGEST = 1800
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
        lock: what its version and its hashes are taken from, and its environment.
        named: what it is called in what is printed and kept; by itself the library's name.
        parts: what is unpacked of its archive.
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
    lock: Path = LOCK
    named: str = ""
    parts: tuple[str, ...] = PARTS

    @property
    def name(self) -> str:
        """What it is called."""
        return self.named or self.library

    @property
    def apart(self) -> bool:
        """Whether it has an environment of its own."""
        return self.lock != LOCK


def other(library: str, *places: str, least: tuple[int, int], **more: Any) -> Suite:
    """Return the suite of a library that has an environment of its own.

    Args:
        library: its name in the lock.
        *places: which of its tests are run.
        least: how many tests run at least, with so many requests through the engine.
        **more: what else `Suite` has.
    """
    stays = {STAYS: "1", **more.pop("environment", {})}
    given: dict[str, Any] = {
        "environment": stays,
        "engines": (STOCK, "simple", "sockets"),
        "parts": ("tests/",),
    }
    given |= more
    return Suite(library, places, least, lock=SUITES_LOCK, **given)


SUITES = {
    "requests": Suite(
        library="requests",
        places=("tests",),
        least=(600, 310),
        without=OUTSIDE,
        known=KNOWN,
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
    "cachecontrol": other("cachecontrol", "tests", least=(95, 80), plugins=()),
    "elastic-transport": other(
        "elastic-transport",
        # The other ones ask nothing with requests.
        "tests/node/test_http_requests.py",
        "tests/node/test_base.py",
        "tests/test_httpbin.py",
        "tests/test_httpserver.py",
        "tests/test_transport.py",
        "tests/test_logging.py",
        least=(75, 5),
        plugins=(HTTPBIN, "pytest_mock", "pytest_httpserver.pytest_plugin"),
    ),
    "vcrpy": other(
        "vcrpy",
        "tests/integration/test_requests.py",
        least=(35, 40),
        plugins=(HTTPBIN,),
        environment={TRUSTS: "1"},
        without=(*NOT_IN_ARCHIVE, *RACES),
        known=KNOWN_OF_VCRPY,
    ),
    "responses": other(
        "responses",
        # Its tests are a part of the library, and import each other as such.
        "responses/tests",
        least=(220, 10),
        plugins=("pytest_mock", "pytest_httpserver.pytest_plugin"),
        parts=("responses/",),
        without=BUSY_THREADS,
    ),
    "google-auth": other(
        "google-auth",
        # The other ones ask nothing with requests.
        "tests/transport/test_requests.py",
        "tests/compute_engine/test__mtls.py",
        least=(100, 5),
        plugins=(HTTPBIN, "pytest_localserver.plugin"),
        known=KNOWN_OF_GOOGLE_AUTH,
    ),
    "httpie": other(
        "httpie",
        # The other ones ask nobody: they are about arguments, formats, and plugins.
        *(f"tests/test_{about}.py" for about in HTTPIE),
        least=(220, 200),
        engines=(STOCK, "sockets"),
        without=IN_PROCESSES,
        plugins=(HTTPBIN,),
    ),
}
OLDEST, NEWEST = (
    replace(
        SUITES["requests"],
        engines=(STOCK, "sockets"),
        lock=lock,
        named=f"requests, {name}",
        least=least,
    )
    for name, lock, least in (
        ("oldest", OLDEST_LOCK, (590, 310)),
        ("newest", SUITES_LOCK, (600, 310)),
    )
)
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
# This stands in for each of them, and answers with the metadata that the archive carries.
BACKENDS: tuple[str, ...] = (
    "hatchling/build.py",
    "setuptools/build_meta.py",
    "uv_build/__init__.py",
)
BACKENDS += ("flit_core/buildapi.py",)
BACKEND = """
import sys
from email.parser import Parser
from pathlib import Path

def prepare_metadata_for_build_wheel(folder, settings=None):
    text = Path("PKG-INFO").read_text(encoding="utf-8")
    fields = Parser().parsestr(text)
    info = Path(folder, f"{fields['Name'].replace('-', '_')}-{fields['Version']}.dist-info")
    info.mkdir()
    (info / "METADATA").write_text(text, encoding="utf-8")
    return info.name

__legacy__ = sys.modules[__name__]
"""


class NotAtHand(Exception):
    """Why there is nothing to run, as a sentence."""


class BrokeOff(Exception):
    """A run that did not come to its end, and the last lines that it printed."""


# -- the tests ---------------------------------------------------------------------------------


def fetched(suite: Suite) -> Path:
    """Return the folder with a library's tests; the first time they are fetched.

    Raises:
        NotAtHand: they cannot be fetched, or the library has another version than the lock.
    """
    library, pin = suite.library, pinned(suite)
    if not suite.apart:
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
                    if member.name.removeprefix(f"{name}/").startswith(suite.parts)
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


def pinned(suite: Suite) -> re.Match[str]:
    """Return the lines of a library in its lock, with the version as the first group."""
    pin = re.search(
        rf"^{re.escape(suite.library)}==(\S+).*\n(?: +--hash=\S+.*\n)+",
        suite.lock.read_text(),
        re.MULTILINE,
    )
    assert pin, f"{suite.lock.name} has no {suite.library}"
    return pin


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
    for name in BACKENDS:
        (backend / name).parent.mkdir(parents=True)
        (backend / name).write_text(BACKEND, encoding="utf-8")
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
    options += ["--assert=plain", "--rootdir=."]
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
                    "python": python(suite),
                    "words": words,
                    "folder": str(tests),
                    "environment": environment(suite, spare),
                    "output": str(own / "output.txt"),
                }
            )
        said = do_all(planned, Path(place, "jobs.json"))
        for (suite, _, engine), job in zip(jobs, planned, strict=True):
            name, report = f"{suite.name} on {engine}", Path(job["words"][1])
            if not report.exists():
                said += Path(job["output"]).read_text(encoding="utf-8", errors="replace")
                raise BrokeOff(f"the run of {name} broke off:\n{said[-3000:]}")
            result = json.loads(report.read_text(encoding="utf-8"))
            if Path(result["requests"]).is_relative_to(job["folder"]):
                raise BrokeOff(f"the run of {name} tested the archive's own requests")
            reports.append(result)
    return reports


def python(suite: Suite) -> str:
    """Return the Python that has the library; the first time its environment is made.

    Raises:
        NotAtHand: it cannot be made.
    """
    if not suite.apart:
        return sys.executable
    try:
        return str(own_environment(ENVIRONMENTS[suite.lock], suite.lock))
    except NoEnvironment as trouble:
        raise NotAtHand(f"{suite.name}: {trouble}") from None


def do_all(planned: list[Job], file: Path) -> str:
    """Do runs side by side, and end those that have not ended after half an hour.

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
    if suite.apart:
        # The kit is not installed there.
        ours["PYTHONPATH"] = str(ROOT)
    return ours | dict(suite.environment)


# -- what it means -----------------------------------------------------------------------------


def judge(
    report: dict[str, Any], suite: Suite, stock: dict[str, Any] | None = None
) -> tuple[dict[str, str], list[str]]:
    """Return the failures of a run that are known, with their reasons, and what is wrong.

    Args:
        report: the run.
        suite: what is known of its tests.
        stock: the run of the same tests with requests as it is, if there was one.
    """
    engine, outcomes = report["engine"], report["outcomes"]
    known, reasons = suite.known.get(engine, {}), report["reasons"]
    explained = {test: known[test] for test in reasons if test in known}
    wrong = [f"{test}: {why}" for test, why in reasons.items() if test not in known]
    wrong += [
        f"{test}: passes now, and is listed as known to fail"
        for test in suite.known.get(engine, {})
        if outcomes.get(test) == "passed"
    ]
    if suite.whole:
        wrong += [
            f"{test}: is listed as known to fail, and there is no such test"
            for test in suite.known.get(engine, {})
            if test not in outcomes
        ]
    return explained, [*wrong, *doubts(report, suite), *others_asked(report, stock or report)]


def others_asked(report: dict[str, Any], stock: dict[str, Any]) -> list[str]:
    """Return which tests that pass made more or fewer requests than with requests as it is."""
    ours, theirs = (
        Counter(run["sends"]) + Counter(run["own_adapters"]) for run in (report, stock)
    )
    return [
        f"{test}: made {ours[test]} requests, and {theirs[test]} with {STOCK}"
        for test, outcome in report["outcomes"].items()
        if outcome == stock["outcomes"].get(test) == "passed" and ours[test] != theirs[test]
    ]


def doubts(report: dict[str, Any], suite: Suite) -> list[str]:
    """Return why a run proves little about its engine, whatever passed."""
    engine, wrong = report["engine"], list[str]()
    tests, requests = suite.least
    ran = sum(outcome != "skipped" for outcome in report["outcomes"].values())
    if ran < tests or report["exit"] not in (0, 1):
        wrong.append(f"{ran} tests ran, at least {tests} should; pytest said {report['exit']}")
    sends = total(report["sends"]) + total(report["own_adapters"])
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
    ways = ("bypassed", "blocking", "elsewhere", "blocked")
    passed_by = {test for way in ways for test in report[way]}
    passed_by -= {*suite.left_alone.get(engine, ())}
    wrong += [f"{test}: its requests went around the engine" for test in sorted(passed_by)]
    return wrong


def versions() -> dict[str, Any]:
    """Return with what is run: a part of what is kept."""
    here = about(*SUITES, *VERSIONS)
    apart = {suite.library: pinned(suite)[1] for suite in SUITES.values() if suite.apart}
    return {"python": here.pop("python"), **apart, **here}


def kept_of_stock() -> dict[str, Row]:
    """Return for each suite what is kept of requests as it is, if the versions are the same."""
    try:
        kept = json.loads(result_file("conformance").read_text(encoding="utf-8"))
    except OSError:
        return {}
    now = versions()
    names = ("python", *SUITES, *VERSIONS)
    if any(kept["about"].get(name) != now.get(name) for name in names):
        return {}
    return {row["suite"]: row for row in kept["results"] if row["engine"] == STOCK}


def other_than_kept(ours: Row, stock: Row) -> list[str]:
    """Return how many tests and requests a run has, if not as many as one with stock had."""
    wrong = list[str]()
    ran, should = (row["passed"] + row["failed"] for row in (ours, stock))
    if ran != should:
        wrong.append(f"{ran} tests ran, and {should} with {STOCK}")
    asked, asks = (row["requests"] + row["own_adapters"] for row in (ours, stock))
    # What fails may stop before its last request.
    if not ours["failed"] and asked != asks:
        wrong.append(f"{asked} requests were made, and {asks} with {STOCK}")
    return wrong


def total(counts: dict[str, int]) -> int:
    return sum(counts.values())


def row(report: dict[str, Any], suite: Suite, explained: dict[str, str]) -> Row:
    """Return what is kept of a run."""
    outcomes = list(report["outcomes"].values())
    return {
        "suite": suite.name,
        "engine": report["engine"],
        "passed": outcomes.count("passed"),
        "failed": outcomes.count("failed"),
        "requests": total(report["sends"]),
        "own_adapters": total(report["own_adapters"]),
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
        "--versions", action="store_true", help="only the oldest and newest that are allowed"
    )
    options.add_argument(
        "--quick", "--fast", dest="fast", action="store_true", help="only what is quick"
    )
    options.add_argument(
        "--keep-nothing", action="store_true", help="leave the result that is kept as it is"
    )
    options.add_argument(
        "--stock-as-kept", action="store_true", help="run 'stock' only if there is no result"
    )
    given = options.parse_args()
    if given.fast and given.suite not in (None, ["requests"]):
        options.error("--fast has tests of requests only")
    if given.versions and (given.fast or given.suite):
        options.error("--versions has tests of requests only, and all of them")
    kept_rows = kept_of_stock() if given.stock_as_kept and not given.fast else {}
    suites = [suite for name, suite in SUITES.items() if name in (given.suite or SUITES)]
    wanted = [
        (suite, engine)
        for suite in ([OLDEST, NEWEST] if given.versions else [FAST] if given.fast else suites)
        for engine in names
        if engine in (given.engine or suite.engines) or (suite.apart and engine == STOCK)
        if engine != STOCK or suite.name not in kept_rows
    ]
    try:
        folders = {suite.name: fetched(suite) for suite, _ in wanted}
        reports = list[dict[str, Any]]()
        for _, batch in groupby(wanted, lambda each: each[0].name if each[0].apart else ""):
            reports += run([(suite, folders[suite.name], engine) for suite, engine in batch])
    except (NotAtHand, BrokeOff) as trouble:
        print(f"conformance: {trouble}", file=sys.stderr)
        return NOT_AT_HAND if isinstance(trouble, NotAtHand) else 1
    rows, sound = [], True
    on_stock = {
        suite.name: report
        for (suite, engine), report in zip(wanted, reports, strict=True)
        if engine == STOCK
    }
    for (suite, engine), report in zip(wanted, reports, strict=True):
        explained, wrong = judge(report, suite, on_stock.get(suite.name))
        kept = row(report, suite, explained)
        if suite.name in kept_rows:
            wrong += other_than_kept(kept, kept_rows[suite.name])
        rows.append(kept)
        sound = sound and not wrong
        print(
            f"{engine if suite.name == 'requests' else f'{suite.name} on {engine}'}: "
            f"{kept['passed']} passed, {kept['failed']} failed; "
            f"{kept['requests']} requests, {kept['handed_on']} of them handed on, "
            f"{kept['own_adapters']} more with adapters of the tests, "
            f"{kept['waits']} waits, {kept['seconds']:.0f} s"
        )
        for test, why in explained.items():
            print(f"  known: {test}: {why}")
        for sentence in wrong:
            print(f"  WRONG: {sentence}")
    ran = [(suite.name, engine) for suite, engine in wanted if suite.whole]
    if not given.keep_nothing and all(
        (suite.name, name) in ran for suite in SUITES.values() for name in suite.engines
    ):
        keep("conformance", {"about": versions(), "results": rows})
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
