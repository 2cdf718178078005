"""A test that takes the fixture `no_held_loop` fails if somebody holds a loop during it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import quick_start
from tests.loopfilm.servers import HANGS
from tests.paths import ROOT

CONFTEST = 'pytest_plugins = ["loopfilm.plugin"]'
HOLD = """
import asyncio
import threading
import time

import pytest
from tornado.testing import AsyncHTTPTestCase, gen_test
from tornado.web import Application, RequestHandler

from loopfilm import film, steps


def hold():
    "Until somebody has looked where, which takes long on a busy machine, or comes too soon."
    step = steps._patch.loops[asyncio.get_running_loop()].step
    before = step.looks
    while step.looks is before:
        time.sleep(0.15)


async def waits_and_holds():
    await asyncio.sleep(0)
    hold()
"""
EVERY_KIND = """
def test_a_run(no_held_loop):
    asyncio.run(waits_and_holds())


def test_the_second_run_of_a_runner(no_held_loop):
    with asyncio.Runner() as runner:
        runner.run(asyncio.sleep(0))
        runner.run(waits_and_holds())


def test_a_task(no_held_loop):
    async def main():
        await asyncio.create_task(waits_and_holds(), name="the task")

    asyncio.run(main())


def test_a_thread(no_held_loop):
    thread = threading.Thread(target=asyncio.run, args=(waits_and_holds(),))
    thread.start()
    thread.join()


def test_a_thread_that_goes_on(no_held_loop, request):
    async def main():
        try:
            hold()
        finally:
            seen.set()
            over.wait()

    seen, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    request.addfinalizer(thread.join)
    request.addfinalizer(over.set)
    seen.wait()


def test_a_film_within(no_held_loop):
    async def main():
        with film(red=600):
            await asyncio.create_task(waits_and_holds())

    asyncio.run(main())


@pytest.mark.anyio
async def test_anyio(no_held_loop, anyio_backend):
    await waits_and_holds()


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Holds(RequestHandler):
    def get(self):
        hold()


@pytest.mark.usefixtures("no_held_loop")
class TestOfTornado(AsyncHTTPTestCase):
    def get_app(self):
        return Application([("/", Holds)])

    def test_a_request(self):
        assert self.fetch("/?user=ada", request_timeout=600).code == 200

    @gen_test(timeout=600)
    async def test_the_test_itself(self):
        await waits_and_holds()
"""
WHO = {
    "test_a_run": "waits_and_holds",
    "test_the_second_run_of_a_runner": "waits_and_holds",
    "test_a_task": "the task",
    "test_a_thread": "waits_and_holds",
    "test_a_thread_that_goes_on": "main",
    "test_a_film_within": "waits_and_holds",
    "test_anyio": r"TestRunner\._run_tests_and_fixtures",
    "test_a_request": "ada",
    "test_the_test_itself": r"TestOfTornado\.test_the_test_itself",
}


def run(
    folder: Path, test: str, *options: str, conftest: str = CONFTEST, beside_all: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a test as somebody else would who is strict.

    Beside all plugins that are installed it is a Python of its own: to import them is most of
    the work, so two runs do.
    """
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    (folder / "test_it.py").write_text(HOLD + test, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400"}
    strict = ["-W", "error", "--strict-markers", "--strict-config"]
    if beside_all:
        strict += ["-p", "no:httpbin"]
    else:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return quick_start.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *strict, *options],
        knows=None if beside_all else ["pytest", "tornado.testing"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("every_kind")
    return run(folder, EVERY_KIND, "-o", "no_held_loop_red=0.1", beside_all=True).stdout


@pytest.mark.parametrize("test", WHO)
def test_whoever_holds_whichever_loop_is_named(every_kind: str, test: str) -> None:
    line = r"test_it\.py:18, time\.sleep\(0\.15\)"
    said = rf"^FAILED test_it\.py::\S*{test} - Failed: {WHO[test]} held the loop .*: {line}$"
    assert re.search(said, every_kind, re.MULTILINE), every_kind


def test_they_fail_and_are_no_errors(every_kind: str) -> None:
    assert f"\n{len(WHO)} failed in " in every_kind


def test_who_holds_no_loop_passes(tmp_path: Path) -> None:
    test = """
def test_waits(no_held_loop):
    asyncio.run(asyncio.sleep(0.01))

def test_has_no_loop(no_held_loop):
    time.sleep(0.01)

def test_has_many_loops(no_held_loop):
    for _ in range(50):
        asyncio.run(asyncio.sleep(0))
"""
    result = run(tmp_path, test, "-o", f"no_held_loop_red={HANGS}")
    assert result.returncode == 0, result.stdout


def test_the_mark_says_what_is_too_long_and_brings_the_fixture(tmp_path: Path) -> None:
    test = """
async def holds():
    time.sleep(0.2)

@pytest.mark.no_held_loop(red=0.1)
def test_strict():
    asyncio.run(holds())

@pytest.mark.no_held_loop(red=600)
def test_lenient(no_held_loop):
    asyncio.run(holds())
"""
    result = run(tmp_path, test)
    assert (
        "FAILED test_it.py::test_strict - Failed: holds held the loop for 0." in result.stdout
    )
    assert "(A step longer than 0.1 s holds it.)" in result.stdout
    assert "1 failed, 1 passed" in result.stdout


@pytest.mark.parametrize("first", ["mark", "fixture"])
def test_a_fixture_of_many_tests_is_not_the_first_tests_own(tmp_path: Path, first: str) -> None:
    mark, fixture = "@pytest.mark.no_held_loop\n", "no_held_loop, "
    test = f"""
import unittest

async def holds():
    time.sleep(0.2)

@pytest.fixture(scope="session")
def server():
    asyncio.run(holds())

@pytest.fixture(scope="module", params=[1, 2])
def module(server):
    asyncio.run(holds())

@pytest.fixture
def own():
    asyncio.run(holds())

{mark if first == "mark" else ""}
def test_it({fixture if first == "fixture" else ""}module):
    pass

@pytest.mark.no_held_loop
def test_with_its_own_fixture(own, server):
    pass

@pytest.mark.no_held_loop
class TestOfUnittest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        asyncio.run(holds())

    def test_it(self):
        pass
"""
    result = run(tmp_path, test, "-o", "no_held_loop_red=0.1")
    assert re.findall("^FAILED (.*) - ", result.stdout, re.MULTILINE) == [
        "test_it.py::test_with_its_own_fixture"
    ]
    assert "1 failed, 3 passed" in result.stdout


@pytest.mark.parametrize("section", ["tool.pytest", "tool.pytest.ini_options"])
@pytest.mark.skipif(pytest.version_tuple < (9, 0), reason="there a table has only texts")
def test_the_configuration_may_be_a_table_with_a_number(tmp_path: Path, section: str) -> None:
    config = tmp_path / "pyproject.toml"
    config.write_text(f"[{section}]\nno_held_loop_red = 0.1\n", encoding="utf-8")
    test = "def test_it(no_held_loop): asyncio.run(waits_and_holds())"
    assert "(A step longer than 0.1 s holds it.)" in run(tmp_path, test).stdout


def test_a_test_that_fails_in_any_case_says_it_too(tmp_path: Path) -> None:
    test = """
@pytest.mark.no_held_loop(red=0.1)
def test_fails():
    asyncio.run(waits_and_holds())
    raise ValueError("no")
"""
    result = run(tmp_path, test)
    assert "FAILED test_it.py::test_fails - ValueError: no" in result.stdout
    assert re.search(
        r"- Captured held loop call -+\nwaits_and_holds held the loop", result.stdout
    )


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    test = """
from tornado.httpserver import HTTPServer

BEFORE = asyncio.Handle._run, HTTPServer.start_request, threading.active_count()

def test_watches(no_held_loop):
    assert asyncio.Handle._run is not BEFORE[0]
    asyncio.run(asyncio.sleep(0))

def test_afterwards():
    assert BEFORE == (
        asyncio.Handle._run, HTTPServer.start_request, threading.active_count()
    )
"""
    result = run(tmp_path, test, "-o", f"no_held_loop_red={HANGS}")
    assert "2 passed" in result.stdout, result.stdout


UVLOOP = """
import asyncio


class Loop(asyncio.SelectorEventLoop):
    "Stands in for one whose steps nobody sees."


def new_event_loop():
    return Loop()


def run(main, *, loop_factory=new_event_loop):
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(main)
"""


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("import uvloop", "uvloop.run(asyncio.sleep(0))"),
        ("", "import uvloop; uvloop.run(asyncio.sleep(0))"),
        ("from uvloop import Loop", "loop = Loop(); loop.close()"),
        ("import uvloop; loop = uvloop.Loop()", "loop.run_until_complete(asyncio.sleep(0))"),
    ],
)
def test_a_loop_whose_steps_nobody_sees_is_refused(
    tmp_path: Path, first: str, code: str
) -> None:
    (tmp_path / "uvloop.py").write_text(UVLOOP, encoding="utf-8")
    test = f"""
{first}

def test_it(no_held_loop):
    {code}

def test_another(no_held_loop):
    asyncio.run(asyncio.sleep(0))

def test_nothing_is_left_behind():
    import uvloop
    assert not {{"__init__", "run_forever", "run_until_complete"}} & set(vars(uvloop.Loop))
"""
    result = run(tmp_path, test, "-o", f"no_held_loop_red={HANGS}", "-W", "default")
    assert (
        "FAILED test_it.py::test_it - Failed: no_held_loop sees only asyncio's own event loops,"
        " not uvloop.Loop, whose steps do not pass asyncio.Handle: run the program without it"
    ) in result.stdout
    assert "1 failed, 2 passed" in result.stdout


@pytest.mark.parametrize(
    ("test", "options", "said"),
    [
        ("", ["-o", "no_held_loop_red=0"], "no_held_loop_red is a number of seconds above 0"),
        ("", ["-o", "no_held_loop_red=x"], "no_held_loop_red is a number of seconds above 0"),
        (
            "@pytest.mark.no_held_loop(red=-1)\ndef test_it(): pass",
            [],
            "test_it.py::test_it: red is a number of seconds above 0, not -1",
        ),
        (
            "@pytest.mark.no_held_loop(0.1)\ndef test_it(): pass",
            [],
            "test_it.py::test_it: write no_held_loop(red=0.1), or no_held_loop alone",
        ),
    ],
)
def test_what_is_no_number_of_seconds(
    tmp_path: Path, test: str, options: list[str], said: str
) -> None:
    result = run(tmp_path, test, *options)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in result.stdout + result.stderr


def test_it_is_loaded_only_where_somebody_asks_for_it(tmp_path: Path) -> None:
    result = run(tmp_path, "def test_it(no_held_loop): pass", conftest="", beside_all=True)
    assert "fixture 'no_held_loop' not found" in result.stdout
    code = "import loopfilm, sys; print('pytest' in sys.modules, '_pytest' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == "False False\n"
