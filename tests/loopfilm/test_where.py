"""The film says at which line of somebody's own a step stood, and what a lane waited for."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import json
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.template import DictLoader
from tornado.web import Application, RequestHandler

from loopfilm import Film, Hold, film, running_apart, sampling, visited
from tests.loopfilm.applications import busy, looks
from tests.loopfilm.servers import clock, turns_of_the_loop, watch
from tornalet import tornalet, wait

pytestmark = pytest.mark.usefixtures("measured_by_hand", "often")
HERE = Path(__file__)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks more often than on a clock on the wall, and counts it."""
    monkeypatch.setattr(sampling, "MOST", 0.01)
    monkeypatch.setattr(sampling, "place_of_thread", looks)
    # A clock that has just been started knows no pauses.
    clock.now += 1


def held_by(work: Callable[[], object]) -> Hold:
    """What a film says of a callback that nobody has a name for."""

    async def experiment() -> Film:
        with film() as f:
            asyncio.get_running_loop().call_soon(work)
            await turns_of_the_loop()
        return f

    [hold] = asyncio.run(experiment()).held_at
    return hold


def line_of(text: str, path: Path = HERE) -> str:
    """The name of a file and the number of the line in which this stands, and no other."""
    lines = path.read_text(encoding="utf-8").splitlines()
    [number] = [n for n, line in enumerate(lines, 1) if line.strip() == text]
    return f"{path.name}:{number}"


# A step


def test_a_call_that_sleeps() -> None:
    def sleeps() -> None:
        for _ in looks.go_on():
            time.sleep(0.01)
        clock.block()

    hold = held_by(sleeps)
    assert hold.line == line_of("time.sleep(0.01)")
    assert hold.call == "time.sleep(0.01)"
    assert hold.deeper == ""
    assert hold.where == f"{hold.line}, {hold.call}"
    assert str(hold) == f"other work held the loop for 0.3 s: {hold.where}"


def test_a_call_that_lets_no_other_thread_run() -> None:
    """It can be looked at only when it is over, and before the next line is run."""
    nothing = "a" * 20

    def searches() -> None:
        for _ in looks.go_on():
            re.fullmatch("(a+)+b", nothing)
        clock.block()

    hold = held_by(searches)
    assert hold.line == line_of('re.fullmatch("(a+)+b", nothing)')
    assert hold.call == 're.fullmatch("(a+)+b", nothing)'


def test_a_call_that_reads_much() -> None:
    # Small numbers are not made, so it takes no time to let go of them.
    much = json.dumps([7] * 300_000)

    def reads() -> None:
        for _ in looks.go_on():
            json.loads(much)
        clock.block()

    hold = held_by(reads)
    assert hold.line == line_of("json.loads(much)")
    assert hold.call == "json.loads(much)"
    assert hold.deeper.startswith(("decoder.py:", "__init__.py:"))


def test_a_loop() -> None:
    def counts() -> None:
        total = 0
        for _ in looks.go_on():
            for number in range(100_000):
                total += number % 7
        clock.block()

    hold = held_by(counts)
    loop = "for number in range(100_000):"
    body = "total += number % 7"
    assert hold.line in (line_of(loop), line_of(body))


@pytest.fixture
def library(tmp_path: Path) -> ModuleType:
    """A library that was installed, and that works ten calls down from what one calls."""
    path = tmp_path / "site-packages" / "library.py"
    path.parent.mkdir()
    deeper = "".join(f"def down{n}(work):\n    down{n - 1}(work)\n" for n in range(1, 10))
    path.write_text(f"def down0(work):\n    work()\n{deeper}")
    spec = importlib.util.spec_from_file_location("library", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_library_is_called_from_somebodys_line(library: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "site-packages" / "slow.py"
    path.write_text("def work():\n    for _ in looks.go_on():\n        time.sleep(0.01)\n")
    slow: dict[str, Any] = {"looks": looks, "time": time}
    exec(compile(path.read_text(), str(path), "exec"), slow)

    def asks() -> None:
        library.down9(slow["work"])
        clock.block()

    hold = held_by(asks)
    assert hold.line == line_of('library.down9(slow["work"])')
    assert hold.call == 'library.down9(slow["work"])'
    assert hold.deeper == "slow.py:3, time.sleep(0.01)"
    assert str(hold).endswith(f"{hold.where} ({hold.deeper})")


def test_a_library_that_calls_back_is_not_to_blame(library: ModuleType) -> None:
    def works() -> None:
        for _ in looks.go_on():
            time.sleep(0.02)
        clock.block()

    assert held_by(lambda: library.down9(works)).line == line_of("time.sleep(0.02)")


def test_a_library_that_does_something_else_each_time(tmp_path: Path) -> None:
    """Most of the time is that of a line, whatever it calls meanwhile."""
    path = tmp_path / "site-packages" / "many.py"
    path.parent.mkdir()
    lines = "\n".join("    for _ in looks.go_on(1): time.sleep(0.01)" for _ in range(8))
    path.write_text(f"def many():\n{lines}\n")
    many: dict[str, Any] = {"looks": looks, "time": time}
    exec(compile(path.read_text(), str(path), "exec"), many)

    def works() -> None:
        for _ in looks.go_on(3):
            time.sleep(0.03)
        many["many"]()
        clock.block()

    assert held_by(works).line == line_of('many["many"]()')


def test_a_line_of_the_step_before_is_not_that_of_the_next() -> None:
    def looked_at() -> None:
        for _ in looks.go_on():
            time.sleep(0.04)

    def blocks() -> None:
        clock.block()

    async def experiment() -> Film:
        with film() as f:
            asyncio.get_running_loop().call_soon(looked_at)
            asyncio.get_running_loop().call_soon(blocks)
            await turns_of_the_loop()
        return f

    [hold] = asyncio.run(experiment()).held_at
    assert line_of("time.sleep(0.04)") != hold.line


def test_a_greenlet() -> None:
    class Plain(RequestHandler):
        @tornalet
        def get(self) -> None:
            wait(asyncio.sleep(0))
            for _ in looks.go_on():
                time.sleep(0.05)
            clock.block()

    [hold] = watch(Application([("/", Plain)]), "/?user=ada").held_at
    assert (hold.lane, hold.line) == ("ada", line_of("time.sleep(0.05)"))


# A function of a library that blocks.
LIBRARYS = compile("lambda: busy('x')", "/site-packages/made.py", "eval")
blocks_by_itself = eval(LIBRARYS, {"busy": busy})


def test_what_the_loop_calls_has_no_line_of_somebodys_own() -> None:
    assert not held_by(blocks_by_itself).line.startswith(HERE.name)


def test_a_library_says_more_than_what_it_calls_in_python(tmp_path: Path) -> None:
    path = tmp_path / "site-packages" / "reads.py"
    path.parent.mkdir()
    path.write_text(
        "def reads():\n"
        "    for _ in looks.go_on():\n"
        "        json.loads(much)\n"
        "    clock.block()\n"
    )
    much = json.dumps([{"number": n} for n in range(20_000)])
    names: dict[str, Any] = {"looks": looks, "json": json, "clock": clock, "much": much}
    exec(compile(path.read_text(), str(path), "exec"), names)
    hold = held_by(names["reads"])
    assert (hold.line, hold.call) == ("reads.py:3", "json.loads(much)")


def test_code_that_was_made_at_run_time_belongs_to_whom_it_was_made_for() -> None:
    @dataclasses.dataclass
    class Made:
        made: object = dataclasses.field(default_factory=blocks_by_itself)

    def makes() -> None:
        Made()

    assert held_by(makes).line == line_of("Made()")


@pytest.mark.parametrize(
    "name", ["<stdin>", "<python-input-3>", "<ipython-input-3-0123>", "<console>"]
)
def test_what_was_typed_is_somebodys_own(name: str, library: ModuleType) -> None:
    names: dict[str, Any] = {"library": library, "busy": busy}
    exec(compile("def typed():\n    library.down9(lambda: busy('z'))", name, "exec"), names)
    hold = held_by(names["typed"])
    assert hold.line.endswith(":2")
    assert "library.py" not in hold.line


def test_a_template_is_rendered_from_somebodys_line() -> None:
    text = "{% for _ in looks.go_on() %}{% set nothing = time.sleep(0.01) %}{% end %}"

    class Renders(RequestHandler):
        def get(self) -> None:
            self.render("page.html", looks=looks, time=time)
            clock.block()

    app = Application([("/", Renders)], template_loader=DictLoader({"page.html": text}))
    [hold] = watch(app, "/?user=ada").held_at
    assert hold.line == line_of('self.render("page.html", looks=looks, time=time)')
    assert hold.deeper.startswith("page_html.generated.py:")


def test_code_without_its_source() -> None:
    code = (
        "def work():\n    for _ in looks.go_on():\n        time.sleep(0.01)\n    clock.block()"
    )
    names: dict[str, Any] = {"looks": looks, "time": time, "clock": clock}
    exec(compile(code, "/nowhere/gone.py", "exec"), names)
    hold = held_by(names["work"])
    assert (hold.line, hold.call, hold.where) == ("gone.py:3", "", "gone.py:3")


PROGRAM = """
import asyncio, time
from loopfilm import film

def blocks():
    time.sleep(1)

async def main():
    with film(red=0.2) as f:
        asyncio.get_running_loop().call_soon(blocks)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return f

[hold] = asyncio.run(main()).held_at
print(hold.line)
"""


def test_a_program_on_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout == "<string>:6\n"


def test_a_cell_of_a_notebook() -> None:
    pytest.importorskip("IPython")
    cells = f"""
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_cell("1", store_history=True)
        shell.run_cell({PROGRAM.strip()!r}, store_history=True).raise_error()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(cells)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "In[2]:5\n" in done.stdout


# A pause


async def resolved() -> str:
    return "done"


@asynccontextmanager
async def opened(event: asyncio.Event) -> AsyncIterator[None]:
    await event.wait()
    yield


async def each(event: asyncio.Event) -> AsyncIterator[int]:
    await event.wait()
    yield 1


async def sleeps(event: asyncio.Event) -> None:
    while not event.is_set():
        await asyncio.sleep(0.01)


async def waits_for_an_event(event: asyncio.Event) -> None:
    await event.wait()


async def waits_deeper(event: asyncio.Event) -> None:
    await waits_for_an_event(event)


async def waits_for_a_queue(event: asyncio.Event) -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    task = asyncio.create_task(puts(queue, event))
    await queue.get()
    await task


async def puts(queue: asyncio.Queue[int], event: asyncio.Event) -> None:
    await event.wait()
    queue.put_nowait(1)


async def waits_for_a_lock(event: asyncio.Event) -> None:
    mutex = asyncio.Lock()
    await mutex.acquire()
    task = asyncio.create_task(frees(mutex, event))
    async with mutex:
        await task


async def frees(mutex: asyncio.Lock, event: asyncio.Event) -> None:
    await event.wait()
    mutex.release()


async def waits_for_children(event: asyncio.Event) -> None:
    await asyncio.gather(waits_for_an_event(event), resolved())


async def waits_for_a_group(event: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(waits_for_an_event(event))


async def waits_for_the_next(event: asyncio.Event) -> None:
    async for _ in each(event):
        pass


async def waits_to_enter(event: asyncio.Event) -> None:
    async with opened(event):
        pass


async def waits_for_a_future(event: asyncio.Event) -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.create_task(event.wait()).add_done_callback(future.set_result)
    await future


async def waits_for_a_thread(event: asyncio.Event) -> None:
    while not event.is_set():
        await asyncio.to_thread(time.sleep, 0.01)


WAITS: dict[Callable[[asyncio.Event], Awaitable[None]], str] = {
    sleeps: "asyncio.sleep(0.01)",
    waits_for_an_event: "event.wait()",
    waits_deeper: "event.wait()",
    waits_for_a_queue: "queue.get()",
    waits_for_a_lock: "async with mutex:",
    waits_for_children: "asyncio.gather(waits_for_an_event(event), resolved())",
    waits_for_a_group: "async with asyncio.TaskGroup() as group:",
    waits_for_the_next: "event.wait()",
    waits_to_enter: "event.wait()",
    waits_for_a_future: "future",
    waits_for_a_thread: "asyncio.to_thread(time.sleep, 0.01)",
}


@pytest.mark.parametrize(("work", "call"), WAITS.items(), ids=[work.__name__ for work in WAITS])
def test_what_a_task_waits_for(work: Any, call: str) -> None:
    async def experiment() -> Film:
        event = asyncio.Event()
        with film() as f:
            task = asyncio.create_task(work(event), name="ada")
            await turns_of_the_loop(5)
            clock.block()
            event.set()
            await task
        return f

    calls = [wait.call for wait in asyncio.run(experiment()).waits if wait.lane == "ada"]
    assert calls == [call]


def test_what_a_handler_waits_for() -> None:
    class Asks(RequestHandler):
        async def get(self) -> None:
            await AsyncHTTPClient().fetch(self.settings["url"])

    class Answers(RequestHandler):
        async def get(self) -> None:
            here.set()
            await asyncio.to_thread(go_on.wait)

    async def script(_: Film) -> None:
        await asyncio.to_thread(here.wait)
        clock.block()
        go_on.set()

    here, go_on = threading.Event(), threading.Event()
    with running_apart(Application([("/", Answers)])) as url:
        asking = Application([("/", Asks)], url=url)
        f = asyncio.run(visited(asking, ["/?user=ada"], script=script))
    assert [(wait.lane, wait.call) for wait in f.waits] == [
        ("ada", 'AsyncHTTPClient().fetch(self.settings["url"])')
    ]


# A processor

BUSY_MACHINE = """
import asyncio, multiprocessing, os, time
from loopfilm import film

def hog(stop):
    while not stop.is_set():
        pass

def works():
    # A tenth of a second of work, for which it has to stand in line.
    end = time.thread_time() + 0.1
    while time.thread_time() < end:
        pass

def sleeps():
    time.sleep(0.5)

async def steps():
    with film(red=0.4) as f:
        for step in (works, sleeps):
            asyncio.get_running_loop().call_soon(step)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    return f

os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
fork = multiprocessing.get_context("fork")
stop = fork.Event()
hogs = [fork.Process(target=hog, args=(stop,), daemon=True) for _ in range(10)]
for each in hogs:
    each.start()
try:
    f = asyncio.run(steps())
finally:
    stop.set()
    for each in hogs:
        each.join()
print(sum(step.end - step.start > f.red for step in f.steps) >= 2, [h.line for h in f.held_at])
"""


@pytest.mark.skipif(
    not Path("/proc/thread-self/schedstat").exists(),
    reason="only Linux tells who waits for a processor",
)
def test_who_has_no_processor_does_not_hold_the_loop_and_who_sleeps_does() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUSY_MACHINE], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True ['<string>:16']\n"
