"""From the command line one gets a film of an application of one's own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests import quick_start
from tests.loopfilm.servers import HANGS
from tests.paths import ROOT

SERVER = """
import asyncio
import time

from tornado.web import Application, RequestHandler


class Report(RequestHandler):
    async def get(self):
        if self.get_argument("user", "") == "grace":
            time.sleep(0.2)
        self.write("done")


class Many(RequestHandler):
    async def get(self):
        for _ in range(40):
            clock.block(0.125)
            await asyncio.sleep(0)


class Drops(RequestHandler):
    def get(self):
        self.detach().close()


def make_app():
    return Application([("/report", Report), ("/many", Many), ("/drops", Drops)])


async def later():
    await asyncio.sleep(0)
    return make_app()


app = make_app()
"""
# A busy machine makes no step as long as this.
NEVER = ("--red", f"{HANGS}")
SOON = ("--red", "0.1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "server.py").write_text(SERVER, encoding="utf-8")
    return tmp_path


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400"}


class Program:
    """Runs `python -m loopfilm` in a folder."""

    def __init__(self, folder: Path, knows: Sequence[str] | None = ()) -> None:
        self.folder, self.knows = folder, knows

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return quick_start.run(
            [sys.executable, "-m", "loopfilm", *words],
            knows=self.knows,
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
        )

    def complaint(self, *words: str) -> str:
        """What is said, in the last line, when there is no film."""
        result = self(*words)
        assert result.returncode == 2
        assert result.stdout == ""
        assert not (self.folder / "film.svg").exists()
        return result.stderr.splitlines()[-1]


@pytest.fixture
def loopfilm(folder: Path) -> Program:
    return Program(folder)


def in_a_python_of_its_own(folder: Path) -> Program:
    return Program(folder, knows=None)


def test_it_says_who_held_the_loop_and_where_and_draws_it(folder: Path) -> None:
    visits = ("--visit", "/report?user=ada", "--visit", "/report?user=grace")
    result = in_a_python_of_its_own(folder)("server:make_app", *visits, *SOON)
    said = result.stdout.splitlines()
    assert said[0].startswith("ada and grace: one after another. ")
    assert "grace held the loop" in said[0]
    [held] = [line for line in said[1:] if line.startswith("grace held the loop for 0.")]
    assert held.endswith(" s: server.py:11, time.sleep(0.2)")
    assert said[-1] == "The picture is in film.svg."
    assert result.returncode == 1
    picture = ElementTree.fromstring((folder / "film.svg").read_text(encoding="utf-8"))
    assert picture.attrib["aria-label"].startswith(said[0])


def test_nobody_held_the_loop(loopfilm: Program) -> None:
    result = loopfilm("server:make_app", "--visit", "/report?user=ada", *NEVER)
    assert result.stdout.splitlines() == [
        "ada: alone. Nobody held the loop.",
        "The picture is in film.svg.",
    ]
    assert result.returncode == 0


def test_a_line_that_held_the_loop_more_than_once_is_told_once(loopfilm: Program) -> None:
    result = loopfilm("server:app", "--visit", "/report?user=grace", "--times", "3", *SOON)
    who = "grace, grace 2 and grace 3"
    assert f"{who} held the loop 3 times, for 0." in result.stdout
    assert result.stdout.count("server.py:11, time.sleep(0.2)") == 1


def test_other_work_that_held_the_loop_counts_too(loopfilm: Program, folder: Path) -> None:
    (folder / "other.py").write_text(
        SERVER.replace(
            "async def later():",
            "async def later():\n    Report.get = asks_others\n",
        )
        # In a context of its own it is not the work of the request.
        + "\nasync def asks_others(self):\n"
        "    import contextvars\n"
        "    own = contextvars.Context()\n"
        "    asyncio.get_running_loop().call_soon(time.sleep, 0.3, context=own)\n"
        "    await asyncio.sleep(0.5)\n",
        encoding="utf-8",
    )
    result = loopfilm("other:later", "--visit", "/report", *SOON)
    said = result.stdout.splitlines()
    assert said[0].endswith(" Only other work held the loop.")
    assert any(line.startswith("other work held the loop for ") for line in said)
    assert result.returncode == 1


def test_what_visitors_got_that_was_no_success_is_told(loopfilm: Program) -> None:
    visits = ("--visit", "/nowhere", "--visit", "/report", "--visit", "/drops")
    result = loopfilm("server:app", *visits, "--times", "2", *NEVER)
    assert result.stdout.splitlines()[1:3] == [
        "/nowhere: 404 Not Found (twice)",
        "/drops: The connection was lost. (twice)",
    ]
    assert result.stdout.splitlines()[3].startswith("Not all visitors were served")
    assert result.returncode == 3


@pytest.mark.parametrize("visit", ["/nowhere", "/drops"])
def test_a_visitor_who_is_not_served_is_no_success(loopfilm: Program, visit: str) -> None:
    visits = ("--visit", "/report", "--visit", visit)
    assert loopfilm("server:app", *visits, *NEVER).returncode == 3


def test_who_held_the_loop_counts_more_than_who_was_not_served(loopfilm: Program) -> None:
    visits = ("--visit", "/nowhere", "--visit", "/report?user=grace")
    assert loopfilm("server:app", *visits, *SOON).returncode == 1


def test_a_visitor_loses_patience(loopfilm: Program, folder: Path) -> None:
    waits = "\nasync def waits(self):\n    await asyncio.Event().wait()\nReport.get = waits\n"
    (folder / "waits.py").write_text(SERVER + waits, encoding="utf-8")
    options = ("--visit", "/report", "--timeout", "3", *NEVER)
    result = loopfilm("waits:app", *options)
    assert "/report: No answer within 3 s." in result.stdout
    assert result.returncode == 3


def test_a_visitor_who_cannot_see_the_answer_is_not_taken_for_unserved(
    loopfilm: Program, folder: Path
) -> None:
    """The patience of the visitor is over while the loop is busy, and the answer was there."""
    slow = "\ndef get(self):\n    time.sleep(6)\nReport.get = get\n"
    (folder / "slow.py").write_text(SERVER + slow, encoding="utf-8")
    options = ("--visit", "/report", "--timeout", "3", *NEVER)
    result = loopfilm("slow:app", *options)
    assert result.stdout.splitlines()[1:3] == [
        "/report: No answer within 3 s.",
        "The loop was busy: a visitor may not have seen an answer that was there.",
    ]
    assert result.returncode == 0


def test_many_short_steps_that_kept_the_loop_busy_are_told(
    loopfilm: Program, folder: Path
) -> None:
    by_hand = (
        "from loopfilm import filmed_loop, films, recorder, steps\n"
        "from loopfilm.processor import UNKNOWN, Processor\n"
        "from tests.loopfilm.servers import clock\n"
        "for each in (filmed_loop, films, recorder, steps):\n"
        "    each.time = clock\n"
        "Processor.scheduled = lambda _: UNKNOWN\n"
    )
    (folder / "many.py").write_text(by_hand + SERVER, encoding="utf-8")
    result = loopfilm("many:app", "--visit", "/many?user=ada")
    assert result.stdout.splitlines()[:2] == [
        "ada: alone. Nobody held the loop.",
        "No step was longer than 0.25 s, but the loop was busy for 5.0 of 5.0 s;"
        " the longest step took 0.13 s. --red 0.06 shows them.",
    ]
    assert result.returncode == 0


def test_what_comes_after_the_last_answer_is_filmed_for_as_long_as_one_likes(
    loopfilm: Program,
    folder: Path,
) -> None:
    holds = (
        "\ndef get(self):\n"
        "    asyncio.get_running_loop().call_later(0.1, time.sleep, 0.3)\nReport.get = get\n"
    )
    (folder / "holds.py").write_text(SERVER + holds, encoding="utf-8")
    result = loopfilm("holds:app", "--visit", "/report", "--after", "1", *SOON)
    assert "something /report started held the loop for 0." in result.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there pipes break in another way")
def test_whoever_has_read_enough_may_go(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "loopfilm", "server:app", "--visit", "/report", *NEVER],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout
        assert program.stderr
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 0


def test_the_picture_and_the_trace_go_where_one_likes(loopfilm: Program, folder: Path) -> None:
    options = ("--picture", "a.svg", "--trace", "b.json", *NEVER)
    result = loopfilm("server:app", "--visit", "/report", *options)
    assert result.stdout.splitlines()[1:] == [
        "The picture is in a.svg.",
        "The trace is in b.json.",
    ]
    assert (folder / "a.svg").read_text(encoding="utf-8").startswith("<svg")
    assert json.loads((folder / "b.json").read_text(encoding="utf-8"))["traceEvents"]
    assert not (folder / "film.svg").exists()


@pytest.mark.parametrize("name", ["server:later", "server.py:app", "./server.py:make_app"])
def test_it_finds_applications_and_what_makes_them(loopfilm: Program, name: str) -> None:
    result = loopfilm(name, "--visit", "/report", *NEVER)
    assert result.returncode == 0, result.stderr


def test_a_file_in_a_package_is_imported_as_a_part_of_it(
    loopfilm: Program, folder: Path
) -> None:
    package = folder / "inside" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "server.py").write_text(SERVER, encoding="utf-8")
    (package / "queue.py").write_text("from .server import make_app", encoding="utf-8")
    result = loopfilm("inside/package/queue.py:make_app", "--visit", "/report", *NEVER)
    assert result.returncode == 0, result.stderr


def test_a_file_with_the_name_of_a_module_that_everybody_uses(
    loopfilm: Program, folder: Path
) -> None:
    (folder / "apart").mkdir()
    (folder / "apart" / "http.py").write_text(SERVER, encoding="utf-8")
    result = loopfilm("apart/http.py:make_app", "--visit", "/report", *NEVER)
    assert result.returncode == 0, result.stderr


def test_a_function_that_answers_requests_is_an_application(
    loopfilm: Program, folder: Path
) -> None:
    (folder / "function.py").write_text(
        "def answer(request):\n"
        "    request.connection.write(b'HTTP/1.1 204 No Content\\r\\n\\r\\n')\n"
        "    request.connection.finish()\n",
        encoding="utf-8",
    )
    result = loopfilm("function:answer", "--visit", "/", *NEVER)
    assert result.returncode == 0, result.stderr
    assert "/: " not in "".join(result.stdout.splitlines()[1:])


def test_a_module_that_reads_the_command_line_does_not_read_ours(
    loopfilm: Program, folder: Path
) -> None:
    (folder / "reads.py").write_text(
        f"import sys\n{SERVER}\nassert len(sys.argv) == 1", encoding="utf-8"
    )
    result = loopfilm("reads:app", "--visit", "/report", *NEVER)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("server", "'server' does not say what to film: write a module, a colon and a name"),
        ("server:", "'server:' does not say what to film"),
        (":app", "':app' does not say what to film"),
        ("nowhere:app", "there is no module nowhere in "),
        ("server.app:app", "there is no module server.app in "),
        ("a..b:app", "'a..b' is no name of a module, nor a path to a .py file"),
        ("nowhere.py:app", "there is no file nowhere.py"),
        ("./server:app", "there is no file server.py"),
        ("server:make", "there is no make in server"),
        ("server:make_ap", "there is no make_ap in server; did you mean make_app?"),
        ("server:SERVER.a.b", "there is no SERVER.a.b in server"),
        ("server:app --visit report", "'report' is no path: a path begins with /"),
        ("server:app --visit http://a/b", "'http://a/b' is no path: a path begins with /"),
        ("server:app --times 0", "'0' is no number of times, from 1"),
        ("server:app --times two", "'two' is no number of times, from 1"),
        ("server:app --red 0", "'0' is no number of seconds above 0"),
        ("server:app --red nan", "'nan' is no number of seconds above 0"),
        ("server:app --timeout inf", "'inf' is no number of seconds above 0"),
        ("server:app --picture no/film.svg", "there is no folder 'no'"),
        ("server:app --trace .", "'.' is no name of a file"),
    ],
)
def test_a_command_line_that_is_wrong(loopfilm: Program, words: str, said: str) -> None:
    assert said in loopfilm.complaint(*words.split())


def test_a_path_that_a_shell_has_changed(
    loopfilm: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSYSTEM", "MINGW64")
    said = loopfilm.complaint("server:app", "--visit", "C:/Program Files/Git/report")
    assert said.endswith("write two, //report, since this shell has changed it")


def test_a_module_that_is_not_found_where_python_may_not_look(folder: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-P", "-m", "loopfilm", "server:app"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert "there is no module server installed, and Python was told by -P" in result.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("app = 5", "odd:app is 5: no application, nor a function that makes one"),
        ("def app(): pass", "odd:app() returned None, which is no application"),
        ("def app(a, b): pass", "odd:app cannot be called without arguments: it is <function"),
        (
            "def app(config): pass",
            "odd:app cannot be called without arguments: it is <function",
        ),
        (
            "class A:\n    def make(self, config): pass\napp = A().make",
            "odd:app cannot be called without arguments: it is <bound method A.make",
        ),
        ("app = ['/']", "odd:app is ['/']: no application, nor a function that makes one"),
        (
            "def app(): return [('/', 5)]",
            "odd:app() returned [('/', 5)], which is no application: give Application(...) of",
        ),
        ("raise SystemExit(3)", "odd ended the program when it was imported: SystemExit(3)"),
        ("def app(): raise SystemExit", "odd:app ended the program: SystemExit(None)"),
    ],
)
def test_what_is_no_application(loopfilm: Program, folder: Path, code: str, said: str) -> None:
    (folder / "odd.py").write_text(code, encoding="utf-8")
    assert f"loopfilm: {said}" in loopfilm.complaint("odd:app")


def test_a_function_that_wants_something_is_called_by_a_module_of_ones_own(
    loopfilm: Program,
    folder: Path,
) -> None:
    (folder / "odd.py").write_text("def app(config): pass", encoding="utf-8")
    said = loopfilm.complaint("odd:app")
    assert "Write a small module with a function without arguments that calls yours" in said


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("def app(environ, start_response): pass", "give tornado.wsgi.WSGIContainer of it"),
        ("def app(): return lambda environ, start_response: []", "WSGIContainer of it"),
        ("async def app(scope, receive, send): pass", "ASGI, which Tornado does not serve"),
        ("async def app(request): pass", "Tornado would call it, and await nothing"),
        (
            "from tornado.web import RequestHandler\nclass app(RequestHandler): pass",
            'Give Application([("/", app)])',
        ),
    ],
)
def test_what_another_server_would_serve(
    loopfilm: Program, folder: Path, code: str, advice: str
) -> None:
    (folder / "odd.py").write_text(code, encoding="utf-8")
    assert advice in loopfilm.complaint("odd:app")


@pytest.mark.skipif(sys.platform == "win32", reason="nothing interrupts a module there")
@pytest.mark.parametrize(
    "code", ["asyncio.run(asyncio.Event().wait())", "while True: time.sleep(1)"]
)
def test_a_module_that_never_ends(loopfilm: Program, folder: Path, code: str) -> None:
    (folder / "odd.py").write_text(f"import asyncio, time\n{code}", encoding="utf-8")
    assert loopfilm.complaint("odd:app", "--timeout", "0.5").startswith(
        "loopfilm: odd could not be imported in 0.5 s: what runs a server belongs below"
    )


@pytest.mark.parametrize(
    "code",
    [
        "async def app(): await asyncio.Event().wait()",
        pytest.param(
            "def app(): time.sleep(600)",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="nothing interrupts it"),
        ),
    ],
)
def test_a_function_that_never_returns(loopfilm: Program, folder: Path, code: str) -> None:
    (folder / "odd.py").write_text(f"import asyncio, time\n{code}", encoding="utf-8")
    assert loopfilm.complaint("odd:app", "--timeout", "3") == (
        "loopfilm: odd:app() has not returned after 3 s: it must return an application"
    )


@pytest.mark.parametrize(
    ("code", "said", "lines"),
    [
        ("import nowhere_at_all", "odd could not be imported", [1]),
        ("def app(\n", "odd could not be imported", [1]),
        (
            "import json\ndef read(): json.loads('{')\ndef app():\n    return read()",
            "odd:app() made no application",
            [4, 2],
        ),
        (
            "from tornado.web import Application\nimport contextlib\n"
            "@contextlib.contextmanager\ndef running():\n    raise OSError('full')\n    yield\n"
            "app = Application(while_running=running)",
            "odd:app could not be run",
            [5],
        ),
        (
            "import asyncio\nasync def app():\n    raise asyncio.CancelledError",
            "odd:app could not be run",
            [3],
        ),
        ("def app():\n    raise BaseException('no')", "odd:app could not be run", [2]),
        ("raise BaseException('no')", "odd could not be imported", [1]),
        (
            "import asyncio\nasync def app():\n    asyncio.get_running_loop().stop()\n"
            "    await asyncio.Event().wait()",
            "odd:app could not be run",
            [],
        ),
        (
            "import asyncio\nasync def app():\n"
            "    for task in asyncio.all_tasks():\n        task.cancel()",
            "odd:app could not be run",
            [],
        ),
    ],
)
def test_what_raises_is_told_with_its_own_lines(
    loopfilm: Program, folder: Path, code: str, said: str, lines: list[int]
) -> None:
    (folder / "odd.py").write_text(code, encoding="utf-8")
    result = loopfilm("odd:app")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == f"loopfilm: {said}"
    told = [line for line in result.stderr.splitlines() if line.startswith('  File "')]
    own = [line for line in told if "odd.py" in line]
    assert [int(line.split(" line ")[1].split(",")[0]) for line in own] == lines
    # And where it was raised, if that is a library; but none of ours.
    assert len(told) <= len(own) + 1
    assert "loopfilm/" not in result.stderr


def test_a_loop_that_is_not_asyncios_own_is_refused(loopfilm: Program, folder: Path) -> None:
    """What `uvloop.install()` does: `asyncio.run` has another loop then."""
    (folder / "policy.py").write_text(
        f"import asyncio\n{SERVER}\n"
        "running = asyncio.get_running_loop\n"
        "class Loop(asyncio.AbstractEventLoop):\n"
        "    def __init__(self):\n"
        "        self.inner = running()\n"
        "    def __getattribute__(self, name):\n"
        "        if name in ('inner', '__class__'):\n"
        "            return object.__getattribute__(self, name)\n"
        "        return getattr(self.inner, name)\n"
        "def get_running_loop():\n"
        "    return Loop()\n"
        "asyncio.get_running_loop = get_running_loop\n",
        encoding="utf-8",
    )
    said = loopfilm.complaint("policy:app", "--visit", "/report")
    assert "film() sees only asyncio's own event loops, not policy.Loop" in said
    assert "If policy installs it when it is imported, move that below `if __name__ ==" in said


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent there")
@pytest.mark.parametrize("wait", ["time.sleep(600)", "await asyncio.sleep(600)"])
def test_ctrl_c_ends_it_at_once_and_quietly(folder: Path, wait: str) -> None:
    (folder / "hangs.py").write_text(
        f"{SERVER}\nasync def get(self):\n    print('here', flush=True)\n    {wait}\n"
        "Report.get = get",
        encoding="utf-8",
    )
    with subprocess.Popen(
        [sys.executable, "-m", "loopfilm", "hangs:app", "--visit", "/report"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        assert program.stdout.readline() == "here\n"
        while program.poll() is None:
            # Python misses a signal that comes just before a sleep, and a user tries again.
            program.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(10)
        said, errors = program.communicate()
    assert program.returncode == 130
    assert said == ""
    assert "Traceback" not in errors


def test_help_says_what_there_is(folder: Path) -> None:
    result = in_a_python_of_its_own(folder)("--help")
    assert result.returncode == 0
    for word in (
        "MODULE:NAME",
        "--visit",
        "--times",
        "--red",
        "--picture",
        "--trace",
        "--after",
        "130",
    ):
        assert word in result.stdout
