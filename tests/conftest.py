"""What the tests of the demo share."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbval.kernel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient

from tools.kernels import Kernel

DESCRIPTORS = Path("/proc/self/fd")
# asyncio's greeting.
EXCUSED = ("Using selector",)

# How many answers to exercises were examined, told at the end of a run.
RAN = pytest.StashKey[Counter[str]]()


# The same examples in every run, and no time is asserted.
settings.register_profile(
    "house",
    derandomize=True,
    deadline=None,
    max_examples=50,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    # nbval has no option for what its kernels listen on.
    nbval.kernel.KernelManager = Kernel
    # The door keeps what pytest starts from taking a file of somebody's for a library. What the
    # tests start is started as people do.
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        os.environ.pop("PYTHONSAFEPATH", None)
        # What is imported and collected stays, see `pytest_collection_finish`.
        gc.disable()
    config.stash[RAN] = Counter()
    config.addinivalue_line(
        "markers", "excuse_noise(beginning): a line that `no_noise` lets pass in this test"
    )


# Files that take a quarter of a minute or more. Begun first, so that no process is left with
# one of them at the end, while the others have nothing to do.
LONG = (
    "tests/tools/test_workshop.py",
    "tests/tools/environments/",
    "tests/tools/test_lab.py",
    "tests/benchmarks/test_conformance.py",
    "tests/exercises/test_exercises.py",
    "tests/browser/test_lab.py",
    "tests/notebooks/test_notebooks.py",
    "tests/test_house.py",
    "tests/classroom/test_examining.py",
    "tests/browser/test_pages.py",
    "tests/browser/test_pages_axe.py",
    "tests/browser/test_deck.py",
    "tests/browser/test_axe.py",
    "tests/browser/test_check.py",
    "tests/test_reach.py",
    "tests/browser/",
    "notebooks/",
    "tests/stormy_demo/neighbours/test_messages.py",
    "tests/stormy_demo/batteries/test_processes.py",
    "tests/stormy_demo/peers/",
    "tests/stormy_demo/batteries/test_openid.py",
    "tests/stormy_demo/",
    "tests/trequests/",
    "tests/slides/",
    "tests/benchmarks/",
    "tests/test_arrows.py",
    "tests/test_install.py",
    "tests/test_papers.py",
    "tests/tools/test_stick.py",
    "slides/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    @functools.cache
    def place(file: str) -> int:
        begins = (place for place, path in enumerate(LONG) if file.startswith(path))
        return next(begins, len(LONG))

    items.sort(key=lambda item: place(item.nodeid.partition("::")[0]))


@settings(max_examples=1)
@given(st.none())
def use_hypothesis(_: None) -> None:
    """Try something once that cannot fail."""


def pytest_collection_finish() -> None:
    # At its first use, Hypothesis looks for who holds its generator of numbers. Of what is
    # frozen, Python 3.15 finds nothing, and there would be a warning.
    use_hypothesis()
    # What was imported and collected never becomes garbage: to look through half a million
    # objects takes half a second, and hundreds of tests ask for a collection.
    gc.enable()
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    # A worker of pytest-xdist tells the process that started it.
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["ran"] = dict(session.config.stash[RAN])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[RAN].update(getattr(node, "workeroutput", {}).get("ran", {}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if ran := config.stash[RAN]:
        listing = ", ".join(f"{number} {what}" for what, number in ran.items())
        terminalreporter.write_line(f"Of the exercises were examined as expected: {listing}.")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine function, on a loop of its own.

    What still runs after ten minutes hangs: no test takes a minute where nobody else is busy.
    """
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), 600))
    return True


@pytest.fixture(autouse=True)
def same_client() -> Iterator[None]:
    """Fail a test that leaves another kind of Tornado's client to those after it."""
    # The first to ask settles it, which is no change.
    AsyncHTTPClient.configured_class()
    before = AsyncHTTPClient._save_configuration()
    yield
    after = AsyncHTTPClient._save_configuration()
    AsyncHTTPClient._restore_configuration(before)
    assert after == before


@pytest.fixture
def no_noise(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Fail a test in which a traceback, or a complaint of the loop, goes to the log.

    The mark `excuse_noise` says which lines are no fault in one test.
    """
    yield
    marks = request.node.iter_markers("excuse_noise")
    excused = (*EXCUSED, *(beginning for mark in marks for beginning in mark.args))
    records = [*caplog.get_records("setup"), *caplog.get_records("call"), *caplog.records]
    noise = [r.getMessage() for r in records if r.exc_info or r.name == "asyncio"]
    assert not [line for line in noise if not line.startswith(excused)]


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine says about proxies, the servers of a test are all on it."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def open_descriptors() -> Callable[[], int]:
    """Count the files and sockets that the process has open."""
    if not DESCRIPTORS.exists():
        pytest.skip("this system does not tell which descriptors are open")

    def count() -> int:
        gc.collect()
        return len(os.listdir(DESCRIPTORS))  # noqa: PTH208

    return count
