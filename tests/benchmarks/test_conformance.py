"""The tests of requests and of requests-cache pass underneath the event loop, and this means
something.

The quick ones of requests run with the engine "sockets". With CONFORMANCE=whole in the
environment all of them run, those of requests with every engine.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from benchmarks import conformance
from benchmarks._conformance import plugin
from tests.paths import ROOT
from trequests.engines.sockets.polite import PoliteSocket

WHOLE = os.environ.get("CONFORMANCE") == "whole"
SERVER = """
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from requests.adapters import HTTPAdapter

class Empty(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

@pytest.fixture
def url():
    with HTTPServer(("127.0.0.1", 0), Empty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
"""


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.conformance", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 3 and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    return done


def test_the_quick_ones_pass_with_sockets() -> None:
    done = bench("--fast", "--engine=sockets")
    assert done.stdout.startswith("sockets: ") and ", 0 failed; " in done.stdout, done
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.skipif(not WHOLE, reason="CONFORMANCE is not 'whole' in the environment")
def test_all_pass_or_are_explained_with_every_engine() -> None:
    suites = ("--suite=requests", "--suite=requests-cache")
    done = bench("--keep-nothing", "--stock-as-kept", *suites)
    assert done.returncode == 0, done.stdout + done.stderr
    heads = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    runs = dict(head.split(": ", 1) for head in heads)
    on_stock = {"stock", "requests-cache on stock"}
    assert runs.keys() - on_stock == {"simple", "curl", "sockets", "requests-cache on sockets"}
    for run in {"sockets", "requests-cache on sockets", *on_stock} & runs.keys():
        assert ", 0 failed; " in runs[run], run


@pytest.mark.parametrize("words", [[], ["--keep-nothing"], ["--engine=stock"], ["--quick"]])
def test_only_a_run_of_everything_is_kept_and_only_if_it_is_to_be(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(jobs: list[tuple[conformance.Suite, Path, str]]) -> list[dict[str, Any]]:
        return [{"engine": engine} for _, _, engine in jobs]

    def row(report: dict[str, Any], *_: object) -> conformance.Row:
        counts = (
            "passed",
            "failed",
            "requests",
            "own_adapters",
            "handed_on",
            "waits",
            "seconds",
        )
        return {**report, **dict.fromkeys(counts, 0)}

    kept = list[str]()
    monkeypatch.setattr(sys, "argv", ["conformance", *words])
    monkeypatch.setattr(conformance, "fetched", lambda _: ROOT)
    monkeypatch.setattr(conformance, "run", run)
    monkeypatch.setattr(conformance, "judge", lambda *_: ({}, []))
    monkeypatch.setattr(conformance, "row", row)
    monkeypatch.setattr(conformance, "keep", lambda name, _: kept.append(name))
    assert conformance.main() == 0
    assert kept == ([] if words else ["conformance"])


# -- what passes must mean something -----------------------------------------------------------


ENGINES = ("simple", "curl", "sockets")
# Tests of our own, and the engines that they run with.
SMALL: dict[str, tuple[tuple[str, ...], str]] = {
    "a request": (
        ("stock", *ENGINES),
        """
def test_it(url):
    assert requests.get(url).status_code == 204
""",
    ),
    "no request": (
        ("stock", *ENGINES),
        """
def test_it():
    pass
""",
    ),
    "a request that blocks": (
        ENGINES,
        """
@pytest.mark.filterwarnings("ignore")
def test_it(url, monkeypatch):
    monkeypatch.setattr("tornalet.can_wait", lambda: False)
    assert requests.get(url).status_code == 204
""",
    ),
    "a way around": (
        ("simple", "curl"),
        """
@pytest.mark.filterwarnings("ignore")
def test_it(url, monkeypatch):
    # By itself it would wait on a thread.
    monkeypatch.setattr("tornalet.can_wait", lambda: False)
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=1))
    assert session.get(url).status_code == 204
""",
    ),
    "a pause that is slept through": (
        ("sockets",),
        """
def test_it(url):
    import asyncio, time
    asyncio.get_running_loop().call_soon(time.sleep, 3)
    assert requests.get(url).status_code == 204
""",
    ),
    "a machine that is busy": (
        ("sockets",),
        """
def test_it(url):
    import asyncio, multiprocessing, os, time
    def hog(stop):
        while not stop.is_set():
            pass
    def much():
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
    fork = multiprocessing.get_context("fork")
    stop = fork.Event()
    hogs = [fork.Process(target=hog, args=(stop,), daemon=True) for _ in range(10)]
    for each in hogs:
        each.start()
    asyncio.get_running_loop().call_soon(much)
    try:
        assert requests.get(url).status_code == 204
    finally:
        stop.set()
        for each in hogs:
            each.join()
""",
    ),
    "tests that fork": (
        ("stock",),
        """
def test_it(url):
    import multiprocessing
    from benchmarks._conformance.plugin import Clock
    assert requests.get(url).status_code == 204
    clock = Clock()
    def look():
        for _ in range(5000):
            clock.now()
    fork = multiprocessing.get_context("fork")
    readers = [fork.Process(target=look) for _ in range(4)]
    for each in readers:
        each.start()
    for each in readers:
        each.join()
    assert [each.exitcode for each in readers] == [0, 0, 0, 0]
""",
    ),
}
if not plugin.SCHEDULED.exists():
    del SMALL["a machine that is busy"]
if not hasattr(os, "fork"):
    del SMALL["tests that fork"]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    """What is wrong with each run of our own tests, for each engine."""
    jobs = list[tuple[conformance.Suite, Path, str]]()
    for name, (engines, tests) in SMALL.items():
        folder = tmp_path_factory.mktemp("small")
        (folder / "test_small.py").write_text(SERVER + tests)
        suite = conformance.Suite(name, ("test_small.py",), least=(1, 1), plugins=())
        jobs += [(suite, folder, engine) for engine in engines]
    wrong: dict[str, dict[str, list[str]]] = {name: {} for name in SMALL}
    for (suite, _, engine), report in zip(jobs, conformance.run(jobs), strict=True):
        assert set(report["outcomes"].values()) == {"passed"}, report["reasons"]
        wrong[suite.library][engine] = conformance.doubts(report, suite)
    return wrong


Wrong = dict[str, dict[str, list[str]]]


def test_a_request_that_waits_is_good(wrong: Wrong) -> None:
    good: dict[str, list[str]] = {"stock": [], "simple": [], "curl": [], "sockets": []}
    assert wrong["a request"] == good


def test_an_engine_that_is_not_used_is_noticed(wrong: Wrong) -> None:
    for engine, sentences in wrong["no request"].items():
        assert sentences == [
            f"{engine} was hardly used: 0 requests went through it, at least 1 should"
        ]


def test_an_engine_that_blocks_is_noticed(wrong: Wrong) -> None:
    for sentences in wrong["a request that blocks"].values():
        assert "plain code waited 0 times, and got 1 answers" in sentences
        assert "the loop stood still for 1 of 1 answers" in sentences


def test_a_way_around_the_engine_is_noticed(wrong: Wrong) -> None:
    for sentences in wrong["a way around"].values():
        assert "test_small.py::test_it: its requests went around the engine" in sentences


def test_a_loop_that_is_held_is_noticed(wrong: Wrong) -> None:
    [sentence] = wrong["a pause that is slept through"]["sockets"]
    assert sentence.startswith("test_small.py::test_it: the loop stood still for ")


@pytest.mark.skipif(
    "a machine that is busy" not in SMALL, reason="only Linux tells who waits for a processor"
)
def test_a_loop_that_has_no_processor_is_not_held(wrong: Wrong) -> None:
    assert wrong["a machine that is busy"] == {"sockets": []}


@pytest.mark.skipif("tests that fork" not in SMALL, reason="this system does not fork")
def test_processes_that_are_forked_read_the_clock_too(wrong: Wrong) -> None:
    assert wrong["tests that fork"] == {"stock": []}


def test_a_request_that_connects_a_socket_that_blocks_is_noticed() -> None:
    run = plugin.Conformance("sockets")
    run.test = "one"
    with run.iterations, socket.socket() as plain, PoliteSocket() as polite:
        # It has a timeout, and its descriptor none.
        polite.settimeout(3)
        for connected in (plain, polite):
            run.notice("socket.connect", (connected, ("127.0.0.1", 1)))
        assert (run.connects, run.blocking) == (0, {})
        run.sending = requests.adapters.HTTPAdapter()
        run.notice("socket.connect", (polite, ("127.0.0.1", 1)))
        assert (run.connects, run.blocking) == (1, {})
        run.notice("socket.connect", (plain, ("127.0.0.1", 1)))
        assert (run.connects, run.blocking) == (2, {"one": 1})


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_servers_of_the_tests_answer_several_requests_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve: Any = pytest.importorskip("pytest_httpbin.serve")
    for name in ("make_server", "SecureWSGIServer"):
        monkeypatch.setattr(serve, name, getattr(serve, name))
    plugin.answer_side_by_side()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        together.wait(500)
        start_response("204 No Content", [])
        return []

    def ask(url: str) -> int:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(url, verify=False, timeout=500).status_code

    for kind in (serve.Server, serve.SecureServer):
        together = threading.Barrier(2)
        with kind(application=app) as server, ThreadPoolExecutor() as pool:
            assert list(pool.map(ask, [server.url] * 2)) == [204, 204]


async def test_a_loop_that_is_closed_keeps_no_clock_open(
    open_descriptors: Callable[[], int],
) -> None:
    before = open_descriptors()
    selector = plugin.CountingSelector()
    asyncio.SelectorEventLoop(selector).close()
    assert open_descriptors() == before
    assert selector.count == 0


# -- what is known must be true ----------------------------------------------------------------


def judged(
    way: dict[str, dict[str, int]] | None = None, **outcomes: str
) -> tuple[dict[str, str], list[str]]:
    """Judge a run with an engine that is known to fail the test `known`."""
    suite = conformance.Suite("small", (), (0, 0), known={"some": {"known": "It cannot."}})
    reasons = {test: "Why" for test, outcome in outcomes.items() if outcome == "failed"}
    report: dict[str, Any] = {"engine": "some", "outcomes": outcomes, "reasons": reasons}
    report.update(sends={}, own_adapters={}, unwaited={}, held={}, bypassed={}, blocking={})
    report.update(elsewhere={}, blocked=[])
    report.update(answers=0, waits=0, exit=1)
    report.update(way or {})
    return conformance.judge(report, suite)


@pytest.mark.parametrize("way", ["bypassed", "blocking", "elsewhere"])
def test_each_way_around_the_engine_is_told(way: str) -> None:
    sentence = "known: its requests went around the engine"
    assert judged(way={way: {"known": 1}}, known="failed")[1] == [sentence]


def test_a_request_more_than_with_stock_is_wrong() -> None:
    outcomes = {"one": "passed", "other": "failed"}
    stock: dict[str, Any] = {"outcomes": outcomes, "sends": {"one": 1}, "own_adapters": {}}
    ours = {**stock, "own_adapters": {"one": 1, "other": 1}}
    assert conformance.others_asked(stock, stock) == []
    assert conformance.others_asked(ours, stock) == ["one: made 2 requests, and 1 with stock"]


def test_what_is_kept_of_stock_says_how_much_there_is_to_be() -> None:
    stock = {"passed": 3, "failed": 0, "requests": 4, "own_adapters": 0}
    same = {"passed": 3, "failed": 0, "requests": 3, "own_adapters": 1}
    assert conformance.other_than_kept(same, stock) == []
    assert conformance.other_than_kept({**same, "requests": 1, "passed": 1}, stock) == [
        "1 tests ran, and 3 with stock",
        "2 requests were made, and 4 with stock",
    ]


def test_with_other_versions_stock_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"suite": "requests", "engine": "stock"}
    file = tmp_path / "conformance.json"
    monkeypatch.setattr(conformance, "result_file", lambda _: file)
    assert conformance.kept_of_stock() == {}
    about = conformance.versions()
    file.write_text(json.dumps({"about": about, "results": [row, {"engine": "curl"}]}))
    assert conformance.kept_of_stock() == {"requests": row}
    file.write_text(json.dumps({"about": {**about, "requests": "2"}, "results": [row]}))
    assert conformance.kept_of_stock() == {}


def test_a_known_failure_is_explained() -> None:
    assert judged(known="failed", other="passed") == ({"known": "It cannot."}, [])


def test_an_unknown_failure_is_wrong() -> None:
    assert judged(known="failed", other="failed")[1] == ["other: Why"]


def test_a_known_failure_that_passes_is_wrong() -> None:
    sentence = "known: passes now, and is listed as known to fail"
    assert judged(known="passed", other="passed") == ({}, [sentence])


def test_a_known_failure_without_a_test_is_wrong() -> None:
    sentence = "known: is listed as known to fail, and there is no such test"
    assert judged(other="passed") == ({}, [sentence])


def test_without_the_archive_there_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "CACHE", tmp_path / "cache")
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    with pytest.raises(
        conformance.NotAtHand, match="archive of requests cannot be fetched: ERROR: "
    ):
        conformance.fetched(conformance.SUITES["requests"])
    assert list((tmp_path / "cache").iterdir()) == []
