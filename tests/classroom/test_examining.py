"""Whatever a learner writes, a check answers, says what happened, and leaves nothing behind."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import UserDict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from classroom.catalogue import find, folders
from classroom.examining import child, memory, parent
from classroom.examining.case import LEAST_HELD, Case
from classroom.examining.kinds import Exercise
from classroom.examining.parent import examine as examine_answer
from classroom.examining.verdict import Verdict
from tests import quick_start
from tests.exercises.forked import Forks, forked_by, keeping_forks
from tests.paths import ROOT

SOLUTION = folders()["delayed_answer"] / "solution.py"
JOIN = folders()["join_in_order"] / "solution.py"
HANDLER = """
from tornado.web import RequestHandler
import asyncio, os, sys, time, threading

class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news, self.deadline = news, deadline

    def get(self):
        {body}
"""


def examine(name: str, answer: str) -> Verdict:
    """Examine an answer to an exercise."""
    return examine_answer(find(name), answer)


def handler(body: str) -> Verdict:
    """Examine a handler that should answer with the news, and does this."""
    return examine(
        "delayed_answer", HANDLER.format(body=textwrap.indent(body, " " * 8).strip())
    )


def function(body: str) -> Verdict:
    """Examine a function that should join futures, and does this."""
    return examine("join_in_order", f"def join(futures):\n{textwrap.indent(body, '    ')}")


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = psutil.Process().children(recursive=True)
    yield
    assert psutil.Process().children(recursive=True) == before
    assert list(tmp_path.iterdir()) == []
    return None


@pytest.fixture(scope="module")
def forker() -> Iterator[Forks | None]:
    with keeping_forks() as forker:
        yield forker


@pytest.fixture(scope="class")
def forked_children(forker: Forks | None) -> Iterator[None]:
    """For what only depends on the code: to start a Python each time is most of the work."""
    with forked_by(forker):
        yield


class TestCodeThatNeverEnds:
    def test_a_loop_in_a_handler(self) -> None:
        verdict = handler("while not self.news.done():\n    pass")
        assert verdict.mistake == "endless"
        assert "line 12: `" in verdict.got or "line 11: `" in verdict.got

    def test_a_loop_outside_of_any_function(self) -> None:
        assert examine("join_in_order", "while True:\n    pass").mistake == "endless"

    def test_a_loop_that_prints(self) -> None:
        verdict = function("while True:\n    print('still here')")
        assert verdict.mistake == "endless"
        assert verdict.said.startswith("still here\n")

    def test_a_call_that_waits(self) -> None:
        verdict = function("import time\ntime.sleep(3600)")
        assert verdict.mistake == "holds_the_loop"
        assert "line 4: `time.sleep(3600)`" in verdict.got

    def test_a_call_that_lets_nobody_else_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A call into C that keeps even other threads from running: only the parent can act."""
        monkeypatch.setattr(parent, "DEADLINE", 3)
        verdict = function("import re\nre.match('(a+)+$', 'a' * 60 + 'b')")
        assert verdict.mistake == "gone"
        assert verdict.got.startswith("no answer within 3 seconds")
        if sys.platform != "win32":
            assert verdict.got.endswith("(line 4: `re.match('(a+)+$', 'a' * 60 + 'b')`)")

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what another does")
    def test_such_a_call_on_a_machine_where_others_wait_all_the_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The clock stands still, and the work that was done counts."""
        monkeypatch.setattr(parent, "OwnTime", lambda **_: SimpleNamespace(time=lambda: 0.0))
        monkeypatch.setattr(parent, "DEADLINE", 3)
        assert function("return sum(range(10**13))").mistake == "gone"

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what another does")
    def test_processes_that_make_each_other_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The clock stands still, and what they work together counts."""
        monkeypatch.setattr(parent, "OwnTime", lambda **_: SimpleNamespace(time=lambda: 0.0))
        monkeypatch.setattr(parent, "MOST_WORK", 4)
        verdict = function(
            "import subprocess, sys, time\n"
            "for _ in range(3):\n"
            "    subprocess.Popen([sys.executable, '-c', 'while True: pass'])\n"
            "time.sleep(3600)"
        )
        assert verdict.mistake == "gone"
        assert verdict.got.endswith("(line 6: `time.sleep(3600)`)")


@pytest.mark.usefixtures("forked_children")
class TestCodeThatLeaves:
    @pytest.mark.parametrize(
        "leave", ["import sys; sys.exit()", "raise SystemExit(3)", "quit()"]
    )
    def test_from_a_function(self, leave: str) -> None:
        verdict = function(leave)
        assert verdict.mistake == "exits"
        assert "line 3" in verdict.got

    def test_from_a_handler(self) -> None:
        verdict = handler("sys.exit()")
        assert verdict.mistake == "exits"
        assert "`sys.exit()`" in verdict.got

    @pytest.mark.parametrize(
        ("leave", "mistake"),
        [
            ("IOLoop.current().stop()", "stops_the_loop"),
            ("IOLoop.current().run_sync(print)", "nested_loop"),
        ],
    )
    def test_by_stopping_the_loop_of_all(self, leave: str, mistake: str) -> None:
        answer = "from tornado.ioloop import IOLoop\nasync def ask_all(client, urls):\n    "
        verdict = examine("three_at_once", answer + leave)
        assert verdict.mistake == mistake

    def test_by_cancelling_everything_in_a_handler(self) -> None:
        verdict = handler("for task in asyncio.all_tasks(): task.cancel()")
        assert (verdict.state, verdict.mistake) == ("wrong", "cancels_all"), verdict
        assert "Traceback" not in str(verdict)

    def test_by_cancelling_everything_in_a_function(self) -> None:
        verdict = function(
            "import asyncio\nfor task in asyncio.all_tasks(): task.cancel()\n"
            "return asyncio.Future()"
        )
        assert verdict.mistake == "cancels_all", verdict

    def test_by_cancelling_everything_in_a_coroutine(self) -> None:
        body = "    for task in asyncio.all_tasks(): task.cancel()\n    return await awaitable"
        answer = f"import asyncio\nasync def or_else(awaitable, seconds, fallback):\n{body}"
        assert examine("fallback", answer).mistake == "cancels_all"

    def test_by_cancelling_everything_in_a_timer(self) -> None:
        verdict = handler(
            "def cancel():\n    for task in asyncio.all_tasks(): task.cancel()\n"
            "self.done = asyncio.Future()\n"
            "asyncio.get_running_loop().call_later(0, cancel)\n"
            "return self.done"
        )
        assert verdict.mistake == "cancels_all", verdict

    def test_before_anybody_can_notice(self) -> None:
        verdict = function("import os\nos._exit(3)")
        assert verdict.mistake == "gone"
        assert "exit code 3" in verdict.got

    @pytest.mark.parametrize(
        "words",
        [
            "hello",
            "{}",
            "[1]",
            '{"exercise": "x", "state": "perfect"}',
            '{"exercise": "x", "tried": 3}',
            '{"exercise": "x", "hints": [3]}',
            '{"exercise": null, "state": "right"}',
            "[" * 100_000,
        ],
        ids=lambda words: words[:40],
    )
    def test_with_a_verdict_of_its_own(self, words: str) -> None:
        body = (
            "import os, glob, sys\n"
            "open('verdict.json', 'w').write(" + repr(words) + ")\n"
            "assert len(sys.argv) == 1\n"
            "os._exit(0)"
        )
        assert function(body).mistake == "gone"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    @pytest.mark.parametrize(
        "make", ["os.mkfifo('verdict.json')", "os.symlink('/dev/zero', 'verdict.json')"]
    )
    def test_with_something_that_cannot_be_read_to_its_end(self, make: str) -> None:
        assert function(f"import os\n{make}\nos._exit(0)").mistake == "gone"

    def test_with_words_that_a_checker_might_say(self) -> None:
        verdict = function("print('Traceback of classroom')\nimport os\nos._exit(1)")
        assert verdict.mistake == "gone"

    def test_with_what_the_verdict_is_told_with(self) -> None:
        assert function("import sys\nsys.stdout = None\nreturn 3").mistake == "no_promise"
        assert function("import json\njson.dumps = None\nreturn 3").mistake == "no_promise"

    @pytest.mark.parametrize(
        "take",
        [
            pytest.param(
                "import os, shutil\nshutil.rmtree(os.getcwd())",
                marks=pytest.mark.skipif(
                    sys.platform == "win32", reason="a folder in use cannot be taken away"
                ),
            ),
            "import os\nos.mkdir('verdict.json')",
        ],
    )
    def test_with_the_place_of_the_verdict(self, take: str) -> None:
        assert function(f"{take}\nreturn 3").mistake == "no_promise"

    @pytest.mark.skipif(sys.platform == "win32", reason="files are not numbered like this")
    def test_with_what_others_have_opened(self) -> None:
        verdict = function("import os\nos.closerange(3, 256)\nreturn futures[0]")
        assert verdict.state == "wrong"
        assert verdict.got == "your code has closed it"

    @pytest.mark.skipif(sys.platform == "win32", reason="no such limit on this system")
    def test_with_all_open_files(self) -> None:
        take = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))\n"
        verdict = examine("join_in_order", take + "def join(futures):\n    return 3")
        assert verdict.mistake == "raises"
        assert "Too many open files" in verdict.got

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_with_a_fork(self) -> None:
        verdict = function("import os\nos.fork()\nreturn 3")
        assert verdict.mistake == "forks"
        assert verdict.got == "there are two (line 4: `os.fork()`)"

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_with_a_fork_before_there_is_a_loop(self) -> None:
        verdict = examine("join_in_order", "import os\nos.fork()\n" + JOIN.read_text())
        assert verdict.right, verdict

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_with_a_fork_and_a_right_answer(self) -> None:
        fork = "import os\nright = join\ndef join(futures):\n    os.fork()\n"
        answer = f"{JOIN.read_text(encoding='utf-8')}\n{fork}    return right(futures)"
        assert examine("join_in_order", answer).mistake == "forks"

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_a_library_may_fork(self) -> None:
        lines = "import multiprocessing\nway = multiprocessing.get_context('fork')\n"
        lines += "process = way.Process(target=print)\nprocess.start()\nprocess.join()\n"
        verdict = examine("join_in_order", lines + JOIN.read_text(encoding="utf-8"))
        assert verdict.right, verdict


@pytest.mark.usefixtures("forked_children")
class TestCodeThatReplacesWhatAllUse:
    """The check and Tornado get it too, and what they then say is nothing to go by."""

    SOLUTIONS = {"join_in_order": JOIN, "delayed_answer": SOLUTION}  # noqa: RUF012

    @pytest.mark.parametrize("name", SOLUTIONS)
    @pytest.mark.parametrize("called", ["open", "len", "isinstance", "str"])
    def test_is_told_which_name_it_was(self, called: str, name: str) -> None:
        answer = f"import builtins\nbuiltins.{called} = 5\n" + self.SOLUTIONS[name].read_text()
        verdict = examine(name, answer)
        assert verdict.mistake == "replaced", verdict
        line = f"`{called}` stands for something else (line 3: `builtins.{called} = 5`)"
        assert verdict.got.startswith(line)
        assert "Traceback" not in str(verdict)

    @pytest.mark.parametrize("called", ["asyncio.sleep", "os.close", "tornado.ioloop.IOLoop"])
    def test_also_in_other_modules(self, called: str) -> None:
        module = called.rpartition(".")[0]
        answer = f"import {module}\n{called} = 5\n" + JOIN.read_text(encoding="utf-8")
        verdict = examine("join_in_order", answer)
        assert verdict.mistake == "replaced", verdict
        assert f"`{called}` stands for something else (line 3: `{called} = 5`)" in verdict.got

    def test_also_in_the_class_of_all_handlers(self) -> None:
        line = "RequestHandler.write = None"
        answer = f"from tornado.web import RequestHandler\n{line}\n" + SOLUTION.read_text()
        verdict = examine("delayed_answer", answer)
        assert verdict.mistake == "replaced", verdict
        assert f"`tornado.web.{line[:20]}` stands for something else (line 3: `{line}`)" in (
            verdict.got
        )

    @pytest.mark.parametrize("line", ["time.sleep = print", "time.monotonic = lambda: 0"])
    def test_is_told_beside_the_mistake_where_it_breaks_nothing(self, line: str) -> None:
        answer = f"import time\n{line}\ndef join(futures):\n    return 3"
        verdict = examine("join_in_order", answer)
        assert verdict.mistake == "no_promise", verdict
        assert f"Besides, `{line.partition(' ')[0]}` stands for something else" in verdict.got

    def test_a_patch_by_gevent_is_named_in_a_handler_too(self) -> None:
        pytest.importorskip("gevent", reason="gevent is only locked for Linux on x86-64")
        verdict = handler("from gevent import monkey\nmonkey.patch_all()\nself.write('x')")
        assert verdict.mistake == "patched", verdict

    @pytest.mark.parametrize("name", SOLUTIONS)
    def test_a_patch_by_gevent_is_named(self, name: str) -> None:
        pytest.importorskip("gevent", reason="gevent is only locked for Linux on x86-64")
        line = "monkey.patch_all()"
        answer = f"from gevent import monkey\n{line}\n" + self.SOLUTIONS[name].read_text()
        verdict = examine(name, answer)
        assert verdict.mistake == "patched", verdict
        assert verdict.got == f"`gevent` has put its own in many places (line 3: `{line}`)"

    @pytest.mark.parametrize("name", SOLUTIONS)
    def test_also_among_the_modules(self, name: str) -> None:
        line = "sys.modules['asyncio'] = None"
        verdict = examine(name, f"import sys\n{line}\n" + self.SOLUTIONS[name].read_text())
        assert verdict.mistake == "replaced", verdict
        assert f"`sys.modules['asyncio']` stands for something else (line 3: `{line}`)" in (
            verdict.got
        )
        assert "Traceback" not in str(verdict)

    def test_also_when_it_does_so_later_and_never_ends(self) -> None:
        verdict = function("import builtins\nbuiltins.open = 5\nwhile True:\n    pass")
        assert verdict.mistake == "replaced"
        assert "line 4: `builtins.open = 5`" in verdict.got

    def test_also_when_nothing_is_left(self) -> None:
        answer = "__builtins__.clear()\n" + JOIN.read_text(encoding="utf-8")
        assert examine("join_in_order", answer).mistake == "replaced"

    WRAPPER = """import builtins
printed = builtins.print
builtins.print = lambda *words, **options: printed(*words, **options)
"""

    def test_a_function_that_does_the_same_does_not_hide_what_is_wrong(self) -> None:
        verdict = examine("join_in_order", self.WRAPPER + "def join(futures):\n    int('x')")
        assert verdict.mistake == "raises", verdict
        assert "ValueError" in verdict.got and "(line 6: `int('x')`)" in verdict.got
        assert "Besides, `print` stands for something else (line 4: " in verdict.got
        verdict = examine("join_in_order", self.WRAPPER + "def join(futures):\n    return 3")
        assert verdict.mistake == "no_promise", verdict

    @pytest.mark.parametrize("called", ["len", "isinstance", "iter"])
    def test_a_function_that_breaks_others_is_blamed(self, called: str) -> None:
        answer = f"import builtins\nbuiltins.{called} = lambda *_: None\n"
        verdict = examine("delayed_answer", answer + SOLUTION.read_text(encoding="utf-8"))
        assert verdict.mistake == "replaced", verdict

    def test_a_function_in_the_place_of_a_class_is_blamed(self) -> None:
        answer = "import builtins\nstring = str\nbuiltins.str = lambda *x: string(*x)\n"
        verdict = examine("delayed_answer", answer + SOLUTION.read_text(encoding="utf-8"))
        assert verdict.mistake == "replaced", verdict

    @pytest.mark.parametrize(
        "lines",
        [
            "print = 5",
            "def open(*_): raise ValueError",
            "import builtins\nbuiltins.print = lambda *_: None",
        ],
    )
    def test_is_right_if_nothing_comes_of_it(self, lines: str) -> None:
        """A name of the cell's own module is nobody else's affair."""
        verdict = examine("join_in_order", f"{lines}\n{JOIN.read_text(encoding='utf-8')}")
        assert verdict.right, verdict


@pytest.mark.usefixtures("forked_children")
class TestCodeThatTouchesWhatTheCheckWaitsFor:
    @pytest.mark.parametrize("touch", ["set_result(1)", "cancel()"])
    def test_that_fills_it_or_cancels_it(self, touch: str) -> None:
        assert function(f"futures[0].{touch}\nreturn futures[1]").mistake == "not_yours"

    def test_that_fills_it_when_the_check_does_not_look_any_more(self) -> None:
        """Then it is the check that fills it a second time."""
        second = (
            "right, calls = join, []\n"
            "def join(futures):\n"
            "    calls.append(1)\n"
            "    if len(calls) == 2: futures[0].set_result(1)\n"
            "    return right(futures)\n"
        )
        verdict = examine("join_in_order", f"{JOIN.read_text(encoding='utf-8')}\n{second}")
        assert verdict.mistake == "not_yours", verdict


@pytest.mark.usefixtures("forked_children")
class TestCodeWithObjectsThatCannotBeAsked:
    def test_is_judged_like_any_other(self) -> None:
        gone = "import weakref\nclass Gone: pass\ngone = weakref.proxy(Gone())\n"
        wrong = folders()["three_at_once"] / "wrong" / "one_after_another.py"
        verdict = examine("three_at_once", gone + wrong.read_text(encoding="utf-8"))
        assert verdict.mistake == "one_after_another", verdict


@pytest.mark.usefixtures("forked_children")
class TestTheLogInAVerdict:
    @pytest.mark.parametrize(
        ("wrong", "fault"),
        [("filled_twice", "InvalidStateError"), ("runs_on", "UnboundLocalError")],
    )
    def test_names_the_fault_and_no_error_that_was_wanted(self, wrong: str, fault: str) -> None:
        """The one that was wanted comes last."""
        path = folders()["carry_error"] / "wrong" / f"{wrong}.py"
        verdict = examine("carry_error", path.read_text(encoding="utf-8"))
        assert f"In the log: {fault}" in verdict.got, verdict


@pytest.mark.usefixtures("forked_children")
class TestCodeThatFallsSilent:
    """What goes to the log is heard, whatever the learner's code does to the log."""

    @pytest.mark.parametrize(
        "line",
        [
            "logging.disable(logging.CRITICAL)",
            "logging.getLogger('tornado.application').disabled = True",
            "logging.getLogger('tornado').setLevel(100)",
            "logging.getLogger('tornado.application').propagate = False",
        ],
    )
    def test_is_heard(self, line: str) -> None:
        wrong = folders()["carry_error"] / "wrong" / "unheard.py"
        verdict = examine("carry_error", f"import logging\n{line}\n" + wrong.read_text())
        assert verdict.mistake == "unheard", verdict


@pytest.mark.usefixtures("forked_children")
class TestCodeThatFails:
    def test_a_syntax_error_has_its_line(self) -> None:
        verdict = examine("join_in_order", "def join(futures:\n    return 3")
        assert verdict.mistake == "syntax"
        assert "line 2: `def join(futures:`" in verdict.got

    def test_an_exception_has_its_line(self) -> None:
        verdict = function("return futures[7]")
        assert verdict.mistake == "raises"
        assert (
            "IndexError: list index out of range (line 3: `return futures[7]`)" in verdict.got
        )

    @pytest.mark.parametrize("odd", ["\f", "\u2028", "\x1c"])
    def test_lines_are_counted_as_python_counts_them(self, odd: str) -> None:
        verdict = function(f"odd = '{odd}'\nreturn futures[7]")
        assert "(line 4: `return futures[7]`)" in verdict.got

    ODD = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"

    @pytest.mark.parametrize("odd", ODD)
    def test_a_line_is_quoted_as_one_whatever_is_in_it(self, odd: str) -> None:
        name = odd.encode("unicode_escape").decode()
        for written in ("return futures['a{}b']", "return 'a{}b' 3"):
            answer = f"def join(futures):\n    one = 1\n    {written.format(odd)}"
            verdict = examine("join_in_order", answer)
            assert verdict.got.endswith(f" (line 4: `{written.format(name)}`)")
            [shown] = [line for line in str(verdict).splitlines() if "line 4: `" in line]
            assert shown.startswith("Got: ") and shown.endswith("`)")

    def test_the_words_of_an_exception_have_the_lines_that_they_have(self) -> None:
        answer = f"def join(futures):\n    raise ValueError('a{self.ODD}b\\nc')"
        first, second = examine("join_in_order", answer).got.splitlines()
        name = self.ODD.encode("unicode_escape").decode()
        assert first == f"ValueError: a{name}b"
        assert second == f"c (line 3: `raise ValueError('a{name}b\\nc')`)"

    def test_an_exception_outside_of_any_function(self) -> None:
        assert examine("join_in_order", "1 / 0").got == (
            "ZeroDivisionError: division by zero (line 2: `1 / 0`)"
        )

    def test_an_exception_that_means_the_end_of_something(self) -> None:
        verdict = function("return next(f for f in futures if f.done())")
        assert verdict.mistake == "raises"
        assert "StopIteration (line 3" in verdict.got

    def test_an_exception_that_cannot_be_told(self) -> None:
        body = "class Shy(Exception):\n    def __str__(self): return 1 / 0\nraise Shy()"
        assert function(body).got.startswith("Shy: it cannot be shown (line 5")

    def test_an_exception_in_a_handler(self) -> None:
        verdict = handler("self.write(nothing)")
        assert verdict.mistake == "raises"
        assert "NameError: name 'nothing' is not defined (line 11" in verdict.got

    def test_a_cell_that_is_too_deep_to_read(self) -> None:
        assert examine("join_in_order", "(" * 100_000).mistake == "syntax"
        assert examine("join_in_order", "-" * 100_000 + "1").mistake == "syntax"

    @pytest.mark.parametrize("line", ["await futures[0]", "async with futures: pass"])
    def test_what_only_a_coroutine_may_say(self, line: str) -> None:
        verdict = function(line)
        assert verdict.mistake == "syntax"
        assert f"line 3: `{line}`" in verdict.got

    def test_other_parameters_than_those_that_were_given(self) -> None:
        verdict = examine("join_in_order", "def join(first, second):\n    return 3")
        assert verdict.mistake == "missing"
        assert "missing 1 required positional argument: 'second'" in verdict.got

    def test_a_name_that_is_gone(self) -> None:
        verdict = examine("join_in_order", "def joined(futures):\n    return 3")
        assert verdict.mistake == "missing"
        assert "`join`" in verdict.expected

    def test_a_name_that_stands_for_something_else(self) -> None:
        assert examine("join_in_order", "join = 3").mistake == "missing"
        assert examine("delayed_answer", "Late = print").mistake == "missing"

    def test_whoever_asks_for_input_gets_none(self) -> None:
        assert "EOFError" in function("return input()").got


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to a bound on memory")
@pytest.mark.usefixtures("forked_children")
class TestCodeThatTakesMemory:
    """As much as it likes, by any way: it is told so, with the line, within its time."""

    # Each with the lines of the code that takes it: who looks may find it at any of a loop's.
    # A piece is memory that is taken, and not only asked for.
    PIECE = "bytearray(20_000_000)"

    WAYS = {  # noqa: RUF012
        "one that is huge": ("return b'x' * 10**12", [3]),
        "more than the bound at once": ("return bytearray(600 << 20)", [3]),
        "large ones": (f"hog = []\nwhile True:\n    hog.append({PIECE})", [4, 5]),
        "small ones": ("hog = []\nwhile True: hog.append(bytes(500))", [4]),
        "a list that grows": ("hog = [0]\nwhile True:\n    hog += hog", [4, 5]),
        "a text that is doubled": ("hog = 'x'\nwhile True:\n    hog = hog + hog", [4, 5]),
        "caught": (
            "hog = []\nwhile True:\n    try:\n"
            f"        hog.append({PIECE})\n    except MemoryError: pass",
            [4, 5, 6, 7],
        ),
        "in a thread": (
            "import threading, time\ndef eat():\n    hog = []\n    while True:\n"
            f"        hog.append({PIECE})\n"
            "threading.Thread(target=eat).start()\ntime.sleep(600)",
            [6, 7],
        ),
        "in a thread that ends of it": (
            "import threading, time\ndef eat():\n    hog = []\n    while True:\n"
            "        hog.append(bytearray(300 << 20))\n"
            "threading.Thread(target=eat).start()\ntime.sleep(600)",
            [7],
        ),
        "in a process that was started": (
            "import subprocess, sys\n"
            f"program = 'hog = []\\nwhile True: hog.append({PIECE})'\n"
            "subprocess.run([sys.executable, '-c', program])",
            [5],
        ),
        "in processes that each take less": (
            "import multiprocessing, time\ndef take():\n    hog = bytearray(150 << 20)\n"
            "    time.sleep(600)\nway = multiprocessing.get_context('fork')\n"
            "for _ in range(3): way.Process(target=take).start()\ntime.sleep(600)",
            [8, 9],
        ),
    }

    @pytest.mark.parametrize(("body", "lines"), WAYS.values(), ids=WAYS)
    def test_is_refused_for_that(self, body: str, lines: list[int]) -> None:
        verdict = function(body)
        assert verdict.mistake == "memory", verdict
        assert any(f"line {line}: `" in verdict.got for line in lines)

    def test_also_where_nobody_hears_that_there_is_none(self) -> None:
        """The text stays as long as the last one that could be made, and no more is taken."""
        body = (
            "hog = 'x' * (160 << 20)\nwhile True:\n    try:\n        hog = hog + hog * 5\n"
            "    except MemoryError: pass"
        )
        assert function(body).mistake == "memory"

    # What a thread does beside a right answer, whose check may be over before it has its fill.
    BESIDE = {  # noqa: RUF012
        "more and more": f"    hog = []\n    while True:\n        hog.append({PIECE})\n",
        "in small pieces": "    hog = []\n    while True: hog.append(bytes(5000))\n",
        "until there is none": (
            "    hog = []\n    while True: hog.append(bytearray(200 << 20))\n"
        ),
        "and gives it back": "    while True: hog = bytearray(420 << 20)\n",
    }

    @pytest.mark.parametrize("name", ["join_in_order", "drive_generator"])
    @pytest.mark.parametrize("body", BESIDE.values(), ids=BESIDE)
    def test_also_beside_a_right_answer(self, body: str, name: str) -> None:
        thread = "threading.Thread(target=eat, daemon=True).start()\n"
        solution = (folders()[name] / "solution.py").read_text(encoding="utf-8")
        for _ in range(3):
            verdict = examine(name, f"import threading\ndef eat():\n{body}{thread}{solution}")
            assert verdict.mistake == "memory", verdict

    def test_also_what_was_given_back_before_anybody_looked(self) -> None:
        answer = f"hog = bytearray(420 << 20)\ndel hog\n{JOIN.read_text(encoding='utf-8')}"
        for _ in range(3):
            verdict = examine("join_in_order", answer)
            assert verdict.mistake == "memory", verdict

    def test_a_thread_that_takes_little_may_go_on(self) -> None:
        answer = (
            "import threading, time\n"
            "def eat():\n    hog = []\n    while True:\n"
            "        hog.append(bytes(1000))\n        time.sleep(0.001)\n"
            "threading.Thread(target=eat, daemon=True).start()\n"
        )
        verdict = examine("join_in_order", answer + JOIN.read_text(encoding="utf-8"))
        assert verdict.right, verdict

    def test_some_may_be_taken(self) -> None:
        answer = "hog = bytearray(200 << 20)\n" + JOIN.read_text(encoding="utf-8")
        verdict = examine("join_in_order", answer)
        assert verdict.right, verdict

    def test_many_threads_may_be_started(self) -> None:
        """Each has a stack, of which hardly anything is used."""
        answer = (
            "import threading\n"
            "over = threading.Event()\n"
            "for _ in range(100): threading.Thread(target=over.wait, daemon=True).start()\n"
        ) + JOIN.read_text(encoding="utf-8")
        verdict = examine("join_in_order", answer)
        assert verdict.right, verdict

    def test_a_thread_may_call_itself_too_often(self) -> None:
        """Also by way of C, which needs more of its stack."""
        body = (
            "import threading\n"
            "def deep(_): sorted([1], key=deep)\n"
            "thread = threading.Thread(target=deep, args=[0])\n"
            "thread.start()\nthread.join()"
        )
        verdict = function(body)
        assert verdict.mistake != "gone", verdict

    @pytest.mark.parametrize(("megabytes", "forks"), [(90, 4), (0, 30)])
    def test_what_forks_share_counts_once(self, megabytes: int, forks: int) -> None:
        answer = (
            "import os, time\n"
            f"much = bytearray({megabytes} << 20)\n"
            f"for _ in range({forks}):\n"
            "    if not os.fork():\n"
            "        time.sleep(600)\n"
        )
        verdict = examine("join_in_order", answer + JOIN.read_text(encoding="utf-8"))
        assert verdict.right, verdict

    def test_where_there_is_no_bound_none_is_made(self) -> None:
        script = (
            "import resource\n"
            "from classroom.examining import memory\n"
            "none = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)\n"
            "resource.setrlimit(resource.RLIMIT_AS, none)\n"
            "errors = [MemoryError()]\n"
            "def once():\n"
            "    if errors: raise errors.pop()\n"
            "memory.insist(once)\n"
            "print(resource.getrlimit(resource.RLIMIT_AS) == none)"
        )
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True)
        if "not allowed to raise maximum limit" in done.stderr:
            pytest.skip("there is a bound that cannot be lifted")
        assert done.stdout.strip() == "True", done.stderr


@pytest.fixture(scope="module")
def who_starts_quickly() -> None:
    """The process that forks programs is there before anybody counts what is left."""
    if quick_start.CAN_FORK:
        quick_start.forks()


def check(limit: str, value: int, run: Callable[..., Any] = quick_start.run) -> str:
    """Check a solution in a process with a limit; give the state, or what was raised."""
    words = [sys.executable, "-m", "tests.classroom.limited", limit, str(value)]
    done = run(words, cwd=ROOT, capture_output=True, text=True)
    return str(done.stdout.strip() or done.stderr)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to all of these limits")
@pytest.mark.usefixtures("who_starts_quickly")
class TestAMachineWithLimits:
    """A limit that is there already is no mistake of the learner's."""

    @pytest.mark.parametrize(
        ("limit", "value"),
        [
            ("RLIMIT_AS", 3_500_000 << 10),
            ("RLIMIT_AS", 200_000 << 10),
            ("RLIMIT_DATA", 200_000 << 10),
            ("RLIMIT_NOFILE", 64),
            ("RLIMIT_STACK", 64 << 20),
            ("RLIMIT_STACK", 512 << 10),
            ("RLIMIT_CPU", 60),
            ("RLIMIT_NPROC", 4000),
            ("RLIMIT_FSIZE", 1_000_000),
            ("RLIMIT_CORE", 0),
        ],
    )
    def test_a_right_answer_is_right(self, limit: str, value: int) -> None:
        assert check(limit, value) == "right"

    def test_where_nothing_can_be_checked_nobody_is_to_blame(self) -> None:
        script = (
            "import classroom.examining.child\n"
            "print(open('/proc/self/statm').read().split()[0])"
        )
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True)
        begun = int(done.stdout) * os.sysconf("SC_PAGESIZE")
        limits = {
            "RLIMIT_AS": (begun + memory.LEAST * 3 // 4, "megabytes are too few"),
            "RLIMIT_NOFILE": (20, "20 open files are too few"),
        }
        for limit, (value, words) in limits.items():
            # One that is forked is larger than it needs to be, and the limit is for this one.
            said = check(limit, value, subprocess.run)
            assert "could not begin" in said and words in said


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="only Linux tells this")
class TestABusyMachine:
    def test_is_no_mistake_of_the_learner_s(self) -> None:
        """A tenth of a second of work, for which others leave hardly any time.

        In the line for the same processor stands a process that nobody asks to be nice.
        """
        busy = (
            "import os, subprocess, sys, time\n"
            "all = os.sched_getaffinity(0)\n"
            "os.sched_setaffinity(0, [min(all)])\n"
            "hog = subprocess.Popen([sys.executable, '-c', 'while True: pass'])\n"
            "os.nice(15)\n"
            "began, wall = time.process_time(), time.monotonic()\n"
            "while time.process_time() < began + 0.1 or time.monotonic() < wall + 3: pass\n"
            "hog.kill()\n"
            "os.sched_setaffinity(0, all)\n"
        )
        verdict = examine("join_in_order", busy + JOIN.read_text(encoding="utf-8"))
        assert verdict.right, verdict


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="no clock for a thread")
class TestALibraryThatWorks:
    """To make a client may take a while on a slow machine, and holds nobody up for long."""

    def test_is_no_call_that_holds_the_loop(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        disk = tmp_path_factory.mktemp("disk")
        (disk / "library.py").write_text(f"import time\n\n\n{WORK}")
        monkeypatch.setenv("PYTHONPATH", str(disk))
        verdict = self.verdict("import library", "library.work()")
        assert verdict.right, verdict

    def test_work_of_one_s_own_is(self) -> None:
        assert self.verdict(f"import time\n{WORK}", "work()").mistake == "holds_the_loop"

    def test_what_nobody_has_seen_is_tried_again(self) -> None:
        """On a busy machine, whoever looks whose work it is may wait to the end of it."""
        watchdog = self.watchdog()
        self.works()
        watchdog.beat()
        assert watchdog.stalled

    def test_who_was_seen_at_work_has_worked_on(self) -> None:
        watchdog = self.watchdog()
        # It is the test that works now, and no code of a learner's.
        watchdog.look_whose_work_it_is()
        self.works()
        watchdog.beat()
        assert not watchdog.stalled
        assert watchdog.case.held_for < LEAST_HELD

    @staticmethod
    def watchdog() -> child.Watchdog:
        exercise = find("to_async")
        assert isinstance(exercise, Exercise)
        watchdog = child.Watchdog(Case("x = 1"), exercise, None)  # type: ignore[arg-type]
        watchdog.beat()
        return watchdog

    @staticmethod
    def works() -> None:
        end = time.thread_time() + LEAST_HELD + 0.1
        while time.thread_time() < end:
            pass

    @staticmethod
    def verdict(before: str, line: str) -> Verdict:
        right = (folders()["to_async"] / "solution.py").read_text(encoding="utf-8")
        place = "        await asyncio.sleep(0.6)\n"
        answer = right.replace(place, f"{place}        {line}\n")
        return examine("to_async", f"{before}\n{answer}")


# Six tenths of a second of the thread's own, on whatever machine, the first time.
WORK = """left = [0.6]


def work():
    end = time.thread_time() + (left.pop() if left else 0)
    while time.thread_time() < end:
        pass
"""


class TestAMachineThatStandsStill:
    @pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="nothing can be stopped here")
    def test_is_given_another_try(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        """A right answer, stopped for three seconds in the middle, the first time."""
        stopped = tmp_path_factory.mktemp("signs") / "stopped"
        right = SOLUTION.read_text(encoding="utf-8")
        stop = (
            "import os, pathlib, subprocess\n"
            f"sign = pathlib.Path({str(stopped)!r})\n"
            "if not sign.exists():\n"
            "    sign.touch()\n"
            "    me = os.getpid()\n"
            "    stall = f'sleep 0.05; kill -STOP {me}; sleep 3; kill -CONT {me}'\n"
            "    subprocess.Popen(['sh', '-c', stall], start_new_session=True)\n"
        )
        verdict = examine("delayed_answer", stop + right)
        assert verdict.right, verdict
        assert stopped.exists()

    def test_an_import_from_a_slow_disk_is_waited_for(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        disk = tmp_path_factory.mktemp("disk")
        (disk / "slow_library.py").write_text("import time\ntime.sleep(3)\n")
        monkeypatch.setenv("PYTHONPATH", str(disk))
        assert function("import slow_library\nreturn 3").mistake == "no_promise"

    def test_a_check_that_does_not_begin_is_nobody_s_mistake(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        disk = tmp_path_factory.mktemp("disk")
        (disk / "tornado.py").write_text("import time\ntime.sleep(3600)\n")
        monkeypatch.setenv("PYTHONPATH", str(disk))
        monkeypatch.setattr(parent, "DEADLINE", 1)
        with pytest.raises(RuntimeError, match="could not begin: it comes to no end"):
            function("return 3")


@pytest.mark.usefixtures("forked_children")
class TestFilms:
    def test_a_right_answer_is_shown_its_film_beside_that_of_one_that_holds_the_loop(
        self,
    ) -> None:
        verdict = examine("delayed_answer", SOLUTION.read_text(encoding="utf-8"))
        assert verdict.right and verdict.beside
        assert verdict.alt == "ada, grace and alan: 3 at once. Nobody held the loop."

    def test_whoever_is_stuck_is_shown_what_that_looks_like(self) -> None:
        verdict = function("import time\ntime.sleep(3600)")
        assert verdict.mistake == "holds_the_loop" and verdict.beside
        assert not verdict.svg


@pytest.mark.usefixtures("forked_children")
class TestRightAnswersInOddClothes:
    @pytest.mark.parametrize(
        "line",
        [
            "class Trouble(Exception): ...",
            "from dataclasses import dataclass\n@dataclass\nclass Seat:\n    number: int = 0",
            "import logging\ntry: 1 / 0\nexcept Exception: logging.exception('oh')",
            "from __future__ import annotations",
            "import sys, threading\nt = threading.Thread(target=sys.exit)\nt.start()\nt.join()",
        ],
    )
    def test_are_right(self, line: str) -> None:
        verdict = examine("join_in_order", f"{line}\n{JOIN.read_text(encoding='utf-8')}")
        assert verdict.right, verdict


@pytest.mark.usefixtures("forked_children")
class TestWhatIsReturned:
    def test_something_that_cannot_be_pickled_is_told_in_words(self) -> None:
        verdict = function("import threading\nreturn threading.Lock()")
        assert verdict.mistake == "no_promise"
        assert verdict.got == "<unlocked _thread.lock object>"

    def test_something_that_cannot_even_be_shown(self) -> None:
        body = "class Shy:\n    def __repr__(self): return 1 / 0\nreturn Shy()"
        assert function(body).got.startswith("a Shy that cannot be shown (ZeroDivisionError")

    def test_something_with_half_a_character(self) -> None:
        body = "class Half:\n    def __repr__(self): return chr(0xd800)\nreturn Half()"
        assert function(body).got.encode("utf-8") == b"\\ud800"

    def test_something_very_long_is_shortened(self) -> None:
        assert len(function("return 'x' * 1_000_000").got) < 300


@pytest.mark.usefixtures("forked_children")
class TestWhatIsPrinted:
    def test_is_shown_as_far_as_it_is_worth_it(self) -> None:
        verdict = function("for n in range(1_000_000): print(n)\nreturn 3")
        assert verdict.mistake == "no_promise"
        lines = [line.split()[-1] for line in str(verdict).splitlines()]
        assert lines[lines.index("0") :][:11] == [*map(str, range(10)), "..."]

    def test_also_by_a_right_answer(self) -> None:
        """But not the log: a traceback that was wanted looks as if something were wrong."""
        logs = "__import__('logging').getLogger('tornado.general').warning('one\\ntwo')\n"
        answer = "print('log: mine')\n" + logs + JOIN.read_text(encoding="utf-8")
        verdict = examine("join_in_order", answer)
        assert verdict.right
        assert dict(verdict.rows())["Printed"] == "log: mine"
        verdict.state = "wrong"
        printed = dict(verdict.rows())["Printed"].splitlines()
        assert sorted(printed) == ["log: mine", "log: one", "log: two"]


class TestNothingIsLeft:
    def test_of_a_process_that_was_started(self) -> None:
        verdict = function(
            "import subprocess, sys\n"
            "program = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
            "print(subprocess.Popen(program).pid)\n"
            "return 3"
        )
        assert gone(int(verdict.said))

    @pytest.mark.skipif(not hasattr(os, "setsid"), reason="this system has no sessions")
    def test_in_the_kernel_of_a_process_that_has_left_its_group(self) -> None:
        """It cannot be ended by us, but it has nobody to print to any more."""
        threads = threading.active_count()
        verdict = function(
            "import subprocess, sys\n"
            "flood = 'import os\\nwhile True: os.write(1, b\"x\" * 1000)'\n"
            "program = [sys.executable, '-c', flood]\n"
            "subprocess.Popen(program, start_new_session=True)\n"
            "return 3"
        )
        assert verdict.mistake == "no_promise"
        gone = [t for t in threading.enumerate() if t.name.endswith("(listen)")]
        for thread in gone:
            thread.join(500)
        assert threading.active_count() == threads

    def test_of_a_thread_that_goes_on(self) -> None:
        body = "from threading import Thread\nimport time\n"
        body += "Thread(target=time.sleep, args=[600]).start()\nreturn 3"
        assert function(body).mistake == "no_promise"

    def test_of_files_that_were_written(self) -> None:
        assert function("open('notes.txt', 'w').write('x')\nreturn 3").mistake == "no_promise"

    def test_of_descriptors(self, open_descriptors: Callable[[], int]) -> None:
        function("return 3")
        before = open_descriptors()
        for body in ("return 3", "import os\nos._exit(3)", "print('x' * 100_000)"):
            function(body)
        assert open_descriptors() == before

    def test_when_the_cell_is_interrupted(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        begun = tmp_path_factory.mktemp("signs") / "begun"

        def interrupt() -> None:
            end = time.monotonic() + 500
            while not begun.exists() and time.monotonic() < end:
                time.sleep(0.01)
            _thread.interrupt_main()

        # Whoever runs the tests in the background may have had it ignored.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            threading.Thread(target=interrupt, daemon=True).start()
            with pytest.raises(KeyboardInterrupt):
                function(f"import time\nopen({str(begun)!r}, 'w').close()\ntime.sleep(3600)")
        finally:
            signal.signal(signal.SIGINT, before)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_variable_that_another_thread_takes_away_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Environment(UserDict[str, str]):
        def __iter__(self) -> Iterator[str]:
            names = [*self.data]
            self.data.pop("TAKEN_AWAY", None)
            return iter(names)

    before = Environment({**os.environ, "TAKEN_AWAY": "yes"})
    monkeypatch.setattr(os, "environ", before)
    assert examine("delayed_answer", SOLUTION.read_text(encoding="utf-8")).state == "right"
    assert "TAKEN_AWAY" not in before
