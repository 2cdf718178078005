"""A mistake has its name by what an exception shows, and not only by its words."""

from __future__ import annotations

import ast
import asyncio
import textwrap
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, RequestHandler

from classroom.examining.case import Case
from classroom.examining.evidence import YOUR_CODE, always_true, named_only
from classroom.examining.mistakes import WORDS, mistake_of
from classroom.examining.rendering import described
from loopfilm import running

CELL = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
from tornado import gen
from tornado.ioloop import IOLoop
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

async def news():
    return "rain"

async def ask(self=None):
"""

SHOWN = [
    ("await 3", "awaits_nothing"),
    ("await [news]", "awaits_nothing"),
    ("await asyncio.get_running_loop().call_later(0, print)", "awaits_nothing"),
    ("with asyncio.Lock(): pass", "plain_with"),
    ("with asyncio.timeout(1): pass", "plain_with"),
    ("with 3: pass", "plain_with"),
    ("asyncio.run(news())", "nested_loop"),
    ("asyncio.get_running_loop().run_until_complete(news())", "nested_loop"),
    ("asyncio.new_event_loop().run_until_complete(news())", "nested_loop"),
    ("IOLoop.current().start()", "nested_loop"),
    ("found = news()\nfound.body", "forgotten_await"),
    ("found = news()\nfound['body']", "forgotten_await"),
    ("found = news()\nfound()", "already_called"),
    ("found = asyncio.create_task(asyncio.sleep(0))\nfound()", "already_called"),
    ("found = asyncio.Future()\nawait found()", "already_called"),
    ("async def all():\n    yield 1\nawait all()", "yields"),
    ("async def all():\n    yield 1\nawait gen.multi([all()])", "yields"),
    ("IOLoop.current.call_later(1, print)", "no_loop"),
    ("IOLoop.call_later(1, print)", "no_loop"),
    ("call_later(1, print)", "no_loop"),
    ("call_sooner(1, print)", "raises"),
    ("asyncio.get_running_loop().call_later(ask, 1)", "swapped"),
    ("IOLoop.current().call_later(lambda: None, 1)", "swapped"),
    ("IOLoop.current().add_future(lambda full: None, asyncio.Future())", "swapped"),
    ("asyncio.get_running_loop().call_later('1', print)", "raises"),
    ("IOLoop.current().call_later(\n    ask,\n    1,\n)", "swapped"),
    ("if self: IOLoop.current().call_later(self.ask, 1)\nNone.body", "raises"),
    ("await asyncio.wait_for(1, news())", "swapped"),
    ("IOLoop.current().remove_timeout(ask)", "no_alarm_given"),
    ("await IOLoop.current().run_in_executor(print, 1)", "no_pool"),
    ("with ThreadPoolExecutor() as pool:\n    await pool.submit(print)", "threads_future"),
    ("await asyncio.to_thread(asyncio.ensure_future, asyncio.sleep(0))", "other_thread"),
    ("def more():\n    count += 1\nmore()", "outer_name"),
    ("with ThreadPoolExecutor() as pool: pass\npool.submit(print)", "pool_over"),
    ("async with AsyncHTTPClient() as client: pass", "another_clients_words"),
    ("await AsyncHTTPClient().get('')", "another_clients_words"),
    ("HTTPResponse(HTTPRequest(''), 200).text", "another_clients_words"),
    ("HTTPResponse(HTTPRequest(''), 200).bodi", "raises"),
    ("import re\ndef told(): pass\nre.sub('a', told, 'a')", "other_arguments"),
    ("import re\nre.sub('a', lambda: None, 'a')", "raises"),
    ("news().body", "forgotten_await"),
    ("HTTPResponse(HTTPRequest('/'), 200).result()", "opened_twice"),
    ("return b'x' * 10**15", "memory"),
    ("raise ValueError('news')", "raises"),
    ("raise TypeError('news')", "raises"),
    ("raise RuntimeError('news')", "raises"),
    ("def run_sync(): raise RuntimeError('news')\nrun_sync()", "raises"),
    ("{}['news']", "raises"),
    ("None.result()", "raises"),
    ("async with open('/dev/null'): pass", "raises"),
]
# What only the words of the message give away: nothing is left of a coroutine that had no name.
TOLD = [
    ("news()['body']", "forgotten_await"),
    ("for each in news(): pass", "forgotten_await"),
    ("import json\njson.dumps({'news': news()})", "forgotten_await"),
    ("try: await 3\nexcept TypeError as e: raise RuntimeError(str(e)) from None",
     "awaits_nothing"),
    ("from tornalet import wait\nwait(3)", "awaits_nothing"),
    ("def work():\n    loop = IOLoop(make_current=False)\n    loop.call_later(0, loop.stop)\n"
     "    loop.run_sync(asyncio.Event().wait)\nawait asyncio.to_thread(work)",
     "stops_the_loop"),
]  # fmt: skip


def raised_by(body: str, file: str = YOUR_CODE) -> tuple[BaseException, ast.Module]:
    """What a cell raises, and its source as it is read."""
    source = CELL + textwrap.indent(body, "    ")
    tree = Case(source).tree
    names: dict[str, Any] = {}
    exec(compile("\n" + source, file, "exec"), names)

    async def call() -> BaseException:
        try:
            await names["ask"]()
        except BaseException as error:
            return error
        raise AssertionError(body)

    return asyncio.run(call()), tree


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(("body", "key"), SHOWN)
def test_it_is_shown_whatever_the_words(body: str, key: str) -> None:
    error, tree = raised_by(body)
    assert mistake_of(error, "", tree).key == key
    assert mistake_of(error, described(error), tree).key == key


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(("body", "key"), TOLD)
def test_it_is_told_where_nothing_shows_it(body: str, key: str) -> None:
    error, tree = raised_by(body)
    assert mistake_of(error, described(error), tree).key == key


@pytest.mark.parametrize("words", WORDS)
def test_words_are_enough_for_an_exception_without_a_traceback(words: str) -> None:
    text = f"TypeError: some {words} here"
    assert mistake_of(TypeError(), text, ast.parse("")) is WORDS[words]


@pytest.mark.parametrize("again", ["write('x')", "finish()"])
async def test_an_answer_after_the_end_is_shown_by_the_handler(again: str) -> None:
    raised: list[BaseException] = []

    class Twice(RequestHandler):
        def get(self) -> None:
            self.finish()
            try:
                exec(f"self.{again}", {"self": self})
            except RuntimeError as error:
                raised.append(error)

    async with running(Application([(r"/", Twice)])) as url:
        await AsyncHTTPClient(force_instance=True).fetch(url)
    assert mistake_of(raised[0], "", ast.parse("")).key == "after_the_end"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("self.done = Future()\nif self.done: pass", 3),
        ("self.done = asyncio.Future()\nif ready and not self.done: pass", 3),
        ("while not self.news.done: pass", 2),
        ("found = 1 if task.done else 2", 2),
        ("if lock.locked: pass", 2),
        ("if all(future.done for future in futures): pass", 2),
        ("self.done = Future()\nif self.done.done(): pass", 0),
        ("self.done = False\nif not self.done: pass", 0),
        ("self.done, self.box = False, Future()\nif not self.done: pass", 0),
        ("self.done: Future = Future()\nif not self.done: pass", 3),
        ("if self.answered: pass", 0),
    ],
)
def test_a_box_that_is_not_asked_is_found(source: str, line: int) -> None:
    assert always_true(Case(source).tree) == line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("self.task.cancel", 2),
        ("from trequests import setup_session\nsetup_session", 3),
        ("def ask(): pass\nask", 3),
        ("self.task.cancel()", 0),
        ("from tornado.web import RequestHandler\nRequestHandler", 0),
        ("class Late: pass\nLate", 0),
    ],
)
def test_a_function_that_is_only_named_is_found(source: str, line: int) -> None:
    assert named_only(Case(source).tree) == line


async def test_a_library_that_awaits_for_the_learner_shows_it_too() -> None:
    async def wait(thing: Any) -> None:
        await thing

    with pytest.raises(TypeError) as raised:
        await wait(3)
    assert mistake_of(raised.value, "", ast.parse("")).key == "awaits_nothing"


@pytest.mark.filterwarnings("ignore:coroutine")
def test_what_another_s_code_raised_is_not_looked_up_in_the_cell() -> None:
    """It may stand at the same place of its file as something else in the cell."""
    body = "found = news()\nfound()"
    for file, key in ((YOUR_CODE, "already_called"), ("library.py", "raises")):
        error, tree = raised_by(body, file)
        assert mistake_of(error, "", tree).key == key
