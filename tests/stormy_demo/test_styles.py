"""The task has one answer, and one way to fail, whatever the way of waiting."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import gc
import inspect
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest
import requests
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler

from loopfilm import handlers_at_work, running, running_apart
from stormy_demo import blocking, bobs_big_data, callbacks, coroutines, greenlets
from stormy_demo.backend import Backend
from tests.addresses import nobody_listens

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

POLITE = [callbacks, coroutines, greenlets]
STYLES = [blocking, *POLITE]
THINGS = ["profile", "friends", "messages"]
# Seconds: a deadline that no machine is too busy for.
LONG = 500
# A busy machine may need more than a short one. Then all of it happens again with a longer one.
PATIENCE = (0.2, 1, 5, 25)


def name(style: ModuleType) -> str:
    return style.__name__.rpartition(".")[2]


def fetch(url: str, **options: Any) -> asyncio.Future[HTTPResponse]:
    """Ask, and wait as long as it takes: the machine may be busy."""
    client = AsyncHTTPClient(force_instance=True, max_clients=1000)
    patient = {"raise_error": False, "connect_timeout": 0, "request_timeout": 0}
    return client.fetch(url, **{**patient, **options})


@contextlib.asynccontextmanager
async def served(
    style: ModuleType, backend: Backend | Application, **settings: Any
) -> AsyncIterator[str]:
    """Serve the task here, and its backend on another thread, for the style that blocks."""
    app = backend.app if isinstance(backend, Backend) else backend
    with running_apart(app) as backend_url:
        async with running(
            style.make_app(backend_url, **{"deadline": LONG, **settings})
        ) as url:
            yield f"{url}/resources/"


async def ask(
    style: ModuleType, backend: Backend | Application, **settings: Any
) -> HTTPResponse:
    """Ask about ada once."""
    async with served(style, backend, **settings) as url:
        return await fetch(f"{url}?user=ada")


def assert_failed(response: HTTPResponse, status: int) -> str:
    """Check that an error is told as one JSON sentence and nothing else."""
    assert response.code == status
    assert response.headers["Content-Type"].startswith("application/json")
    (sentence,) = json_decode(response.body).values()
    assert list(json_decode(response.body)) == ["error"]
    assert "Traceback" not in sentence
    assert "\n" not in sentence
    assert " " in sentence
    return str(sentence)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something is true; a test that waits in vain runs out of time."""
    while not condition():
        await asyncio.sleep(0)


def opens_what_is_not_there() -> None:
    Path("/nowhere").read_text()


def misreads_json() -> None:
    json_decode("nonsense")


def misreads_bytes() -> None:
    b"\xff".decode()


def connects_to_something_else() -> None:
    socket.create_connection(("127.0.0.1", 1))


def waits_for_something_else() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(0.001)
        one.recv(1)


def asks_something_else() -> None:
    raise HTTPClientError(404)


def asks_no_address() -> None:
    requests.get("nonsense", timeout=5)


def asks_something_that_says_no_json() -> None:
    response = requests.Response()
    response._content = b"nonsense"
    response.json()


MISTAKES = [
    opens_what_is_not_there,
    misreads_json,
    misreads_bytes,
    connects_to_something_else,
    waits_for_something_else,
    asks_something_else,
    asks_no_address,
    asks_something_that_says_no_json,
]


class SaysNothingOfUse(RequestHandler):
    """A backend that answers, but not in JSON."""

    def get(self) -> None:
        self.write(self.settings["body"])


@pytest.mark.parametrize("style", STYLES, ids=name)
class TestEveryStyle:
    async def test_answers_with_three_things_about_a_user(self, style: ModuleType) -> None:
        backend = Backend()
        response = await ask(style, backend)
        assert json_decode(response.body) == {
            "user": "ada",
            "profile": "Ada Lovelace",
            "friends": ["grace", "alan"],
            "messages": 3,
        }
        assert list(json_decode(response.body)) == ["user", *THINGS]
        assert sorted(backend.asked) == sorted(f"{thing} of ada" for thing in THINGS)

    async def test_answers_again_on_the_same_connection(self, style: ModuleType) -> None:
        async with served(style, Backend()) as url:
            host, port = url.split("/")[2].split(":")
            stream = await TCPClient().connect(host, int(port))
            for _ in range(2):
                await stream.write(b"GET /resources/?user=ada HTTP/1.1\r\nHost: here\r\n\r\n")
                head = await stream.read_until(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                await stream.read_until(b"}")
            stream.close()

    @pytest.mark.parametrize("query", ["", "?", "?user=", "?user=%20%09", "?who=ada"])
    async def test_wants_to_know_whose_resources(self, style: ModuleType, query: str) -> None:
        backend = Backend()
        async with served(style, backend) as url:
            sentence = assert_failed(await fetch(url + query), 400)
        assert "?user=" in sentence
        assert backend.asked == []

    async def test_refuses_a_user_that_is_not_utf_8(self, style: ModuleType) -> None:
        async with served(style, Backend()) as url:
            sentence = assert_failed(await fetch(f"{url}?user=%ff%25s"), 400)
        assert "user" in sentence
        assert "%%" not in sentence

    async def test_refuses_another_method(self, style: ModuleType) -> None:
        async with served(style, Backend()) as url:
            assert_failed(await fetch(f"{url}?user=ada", method="POST", body=""), 405)

    @pytest.mark.parametrize(
        "user",
        [
            "王小波",
            "ada/../grace",
            "ada&user=grace",
            "50% #1?",
            "a" * 5000,
            "'\"<b>\\",
            "ada\x00",
        ],
        ids=["unicode", "slashes", "ampersand", "percent", "long", "quotes", "nul"],
    )
    async def test_asks_about_exactly_that_user(self, style: ModuleType, user: str) -> None:
        backend = Backend()
        async with served(style, backend) as url:
            response = await fetch(f"{url}?user={quote(user, safe='')}")
        # Tornado drops control characters from an argument.
        user = user.replace("\x00", " ").strip()
        assert json_decode(response.body)["user"] == user
        assert sorted(backend.asked) == sorted(f"{thing} of {user}" for thing in THINGS)

    async def test_wants_to_know_that_once(self, style: ModuleType) -> None:
        backend = Backend()
        async with served(style, backend) as url:
            sentence = assert_failed(await fetch(f"{url}?user=ada&user=grace"), 400)
        assert "user" in sentence
        assert backend.asked == []

    async def test_does_not_look_for_that_in_a_body(self, style: ModuleType) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        with_a_body: dict[str, Any] = {
            "method": "GET",
            "body": "user=grace",
            "headers": form,
            "allow_nonstandard_methods": True,
        }
        async with served(style, Backend()) as url:
            assert_failed(await fetch(url, **with_a_body), 400)
            response = await fetch(f"{url}?user=ada", **with_a_body)
        assert json_decode(response.body)["user"] == "ada"

    @pytest.mark.parametrize("path", ["", "/", "/resources", "/resources/ada", "/%ff"])
    async def test_says_what_there_is(self, style: ModuleType, path: str) -> None:
        async with running(style.make_app("http://127.0.0.1:1")) as url:
            assert "/resources/?user=ada" in assert_failed(await fetch(url + path), 404)

    @pytest.mark.excuse_noise("Uncaught exception")
    @pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
    async def test_does_not_blame_the_backend_for_its_own_mistakes(
        self,
        style: ModuleType,
        mistake: Callable[[], object],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def write(handler: RequestHandler, said: dict[str, Any]) -> None:
            if "error" not in said:
                mistake()
            RequestHandler.write(handler, said)

        monkeypatch.setattr(style.ResourceHandler, "write", write)
        sentence = assert_failed(await ask(style, Backend()), 500)
        assert "backend" not in sentence
        tracebacks = [record.exc_text or "" for record in caplog.records if record.exc_info]
        assert [mistake.__name__ in traceback for traceback in tracebacks] == [True]

    async def test_asks_the_backend_itself_whatever_proxy_the_machine_has(
        self, style: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.delenv("no_proxy", raising=False)
        assert (await ask(style, Backend())).code == 200

    @pytest.mark.parametrize("thing", THINGS)
    async def test_tells_that_the_backend_failed(self, style: ModuleType, thing: str) -> None:
        response = await ask(style, Backend(fail={thing}))
        assert "500" in assert_failed(response, 502)

    @pytest.mark.parametrize("thing", THINGS)
    async def test_tells_that_the_backend_hung_up(self, style: ModuleType, thing: str) -> None:
        assert "hung up" in assert_failed(await ask(style, Backend(drop={thing})), 502)

    @pytest.mark.parametrize("body", [b"hello", b"", b"\xff\xfe\xfd", b'{"profile": '])
    async def test_tells_that_the_backend_talks_nonsense(
        self, style: ModuleType, body: bytes
    ) -> None:
        nonsense = Application([(".*", SaysNothingOfUse)], body=body)
        assert "JSON" in assert_failed(await ask(style, nonsense), 502)

    async def test_tells_that_nobody_listens(self, style: ModuleType) -> None:
        with nobody_listens() as backend:
            async with running(style.make_app(backend, deadline=LONG)) as url:
                response = await fetch(f"{url}/resources/?user=ada")
        assert "not be reached" in assert_failed(response, 502)

    @pytest.mark.parametrize("things", [["profile"], ["messages"], THINGS])
    async def test_gives_up_on_a_backend_that_never_answers(
        self, style: ModuleType, things: list[str]
    ) -> None:
        for deadline in (1e-300, 0.2):
            response = await ask(style, Backend(hang=things), deadline=deadline)
            assert "in time" in assert_failed(response, 504)

    async def test_counts_the_deadline_from_the_end_of_the_delay(
        self, style: ModuleType
    ) -> None:
        for deadline in PATIENCE:
            response = await ask(style, Backend(), delay=1.1 * deadline, deadline=deadline)
            if response.code == 200:
                break
        assert response.code == 200

    async def test_answers_others_after_a_failure(self, style: ModuleType) -> None:
        backend = Backend(fail={"friends"})
        async with served(style, backend) as url:
            assert_failed(await fetch(f"{url}?user=ada"), 502)
            backend.fail = ()
            assert (await fetch(f"{url}?user=grace")).code == 200

    async def test_leaves_nothing_behind(
        self, style: ModuleType, open_descriptors: Callable[[], int]
    ) -> None:
        def left() -> set[asyncio.Task[Any]]:
            return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]

        # What a loop gets once, and keeps until it ends, is nothing left behind.
        await ask(style, Backend())
        tasks, descriptors = left(), open_descriptors()
        for backend in (Backend(), Backend(drop={"friends"}), Backend(hang={"profile"})):
            await ask(style, backend, deadline=0.1)
        await until(lambda: left() == tasks)
        assert open_descriptors() <= descriptors

    async def test_forgets_a_request_that_is_answered(self, style: ModuleType) -> None:
        """Its deadline would be far away."""

        def forgotten() -> bool:
            gc.collect()
            return not any(type(thing) is style.ResourceHandler for thing in gc.get_objects())

        async with served(style, Backend(), deadline=86_400) as url:
            assert (await fetch(f"{url}?user=ada")).code == 200
            await until(forgotten)

    async def test_does_not_mind_a_client_that_leaves(self, style: ModuleType) -> None:
        backend = Backend(hold=True)
        async with served(style, backend) as url:
            stream = await leave_early(url)
            if style is not blocking:
                await until(lambda: backend.asked)
            stream.close()
            for thing in THINGS:
                backend.release(thing)
            assert (await fetch(f"{url}?user=grace")).code == 200

    @pytest.mark.parametrize(
        "settings",
        [
            {"backend": "localhost:8889"},
            {"backend": ""},
            {"backend": "http://"},
            {"backend": "http://127.0.0.1:0"},
            {"backend": "http://127.0.0.1:99999"},
            {"backend": "http://127.0.0.1:port"},
            {"backend": "http://[::1"},
            {"backend": "http://a..b"},
            {"backend": "http://127.0.0.1/ "},
            {"backend": "http://127.0.0.1/\n"},
            {"backend": "http://127.0.0.1/?a=b"},
            {"backend": "http://127.0.0.1/#a"},
            {"backend": "http://127.0.0.1/ä"},
            {"backend": "http://ä"},
            {"delay": -1},
            {"delay": float("nan")},
            {"delay": 1e10},
            {"deadline": 0},
            {"deadline": float("nan")},
            {"deadline": float("inf")},
            {"deadline": 1e10},
        ],
        ids=str,
    )
    def test_refuses_settings_that_make_no_sense(
        self, style: ModuleType, settings: dict[str, Any]
    ) -> None:
        with pytest.raises(ValueError, match=next(iter(settings))):
            style.make_app(**{"backend": "http://127.0.0.1:1", **settings})


async def leave_early(url: str) -> IOStream:
    """Send a question, and return the stream before there is an answer."""
    host, port = url.split("/")[2].split(":")
    stream = await TCPClient().connect(host, int(port))
    await stream.write(b"GET /resources/?user=ada HTTP/1.1\r\nHost: here\r\n\r\n")
    return stream


@pytest.mark.parametrize("style", POLITE, ids=name)
class TestEveryPoliteStyle:
    async def test_serves_people_at_once(self, style: ModuleType) -> None:
        """The backend answers nobody's first question before everybody's has come."""
        people = [f"person {n}" for n in range(50)]
        backend = Backend(together=len(people) * (1 if style is greenlets else len(THINGS)))
        async with served(style, backend) as url:
            responses = await asyncio.gather(*(fetch(f"{url}?user={quote(p)}") for p in people))
        assert [json_decode(r.body)["user"] for r in responses] == people

    async def test_lets_many_wait_at_once_and_spends_no_thread(self, style: ModuleType) -> None:
        people = 200
        backend = Backend(hold=True)
        async with served(style, backend, delay=0.1) as url:
            await fetch(url)
            threads = threading.active_count()
            answers = [fetch(f"{url}?user=ada") for _ in range(people)]
            await until(lambda: len(backend.asked) >= people)
            assert threading.active_count() == threads
            for thing in THINGS:
                backend.release(thing)
            assert [r.code for r in await asyncio.gather(*answers)] == [200] * people

    async def test_a_handler_that_still_waits_ends_with_the_server(
        self, style: ModuleType
    ) -> None:
        backend = Backend(hang=THINGS)
        others = asyncio.all_tasks()
        with running_apart(backend.app) as backend_url:
            async with running(style.make_app(backend_url, deadline=LONG)) as url:
                stream = await leave_early(f"{url}/resources/")
                await until(lambda: backend.asked)
            with pytest.raises(StreamClosedError):
                await stream.read_until(b"\r\n")
            handlers = [
                task
                for task in asyncio.all_tasks() - others
                if "Handler" in str(task.get_coro())
            ]
            assert handlers == []

    async def test_asks_nothing_any_more_when_it_has_stopped(self, style: ModuleType) -> None:
        backend = Backend(fail={"profile"}, hang={"friends", "messages"})
        async with running(backend.app) as backend_url:
            async with running(style.make_app(backend_url, deadline=LONG)) as url:
                assert_failed(await fetch(f"{url}/resources/?user=ada"), 502)
            loop = asyncio.get_running_loop()
            await until(lambda: not handlers_at_work(backend.app, loop))

    async def test_a_failure_is_told_although_another_question_hangs(
        self, style: ModuleType
    ) -> None:
        backend = Backend(fail={"profile"}, hang={"friends"})
        response = await ask(style, backend)
        assert_failed(response, 502)


@pytest.mark.parametrize("style", [blocking, greenlets], ids=name)
async def test_one_deadline_holds_for_all_that_is_asked_one_after_another(
    style: ModuleType,
) -> None:
    """Each question alone would be answered in time, and nobody asks after the deadline."""
    backend = Backend(0.25)
    assert_failed(await ask(style, backend, deadline=0.4), 504)
    assert len(backend.asked) < len(THINGS)


class TestTheRules:
    """What makes each style the style that it is."""

    def test_callbacks_never_wait(self) -> None:
        tree = ast.parse(inspect.getsource(callbacks))
        waiting = ast.Await | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith
        assert not [
            n for n in ast.walk(tree) if isinstance(n, waiting | ast.Yield | ast.YieldFrom)
        ]

    def test_coroutines_have_no_callbacks(self) -> None:
        source = inspect.getsource(coroutines)
        for callback in ("add_future", "add_callback", "add_done_callback", "call_later"):
            assert callback not in source

    def test_bob_has_never_heard_of_tornado(self) -> None:
        script = "import sys, stormy_demo.bobs_big_data; print('tornado' in sys.modules)"
        said = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert said.stdout.strip() == "False"

    def test_bob_gives_each_question_the_time_that_is_left(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left = list[float]()
        monkeypatch.setattr(bobs_big_data, "ask", lambda *question: left.append(question[-1]))
        bobs_big_data.ask_all("http://127.0.0.1", tuple(THINGS), "ada", 5)
        assert 5 > left[0] > left[1] > left[2]

    async def test_requests_blocks_again_when_the_greenlets_have_stopped(self) -> None:
        stock = requests.Session().adapters["http://"].__class__
        init = requests.Session.__init__
        with running_apart(Backend().app) as backend_url:
            async with running(greenlets.make_app(backend_url, deadline=LONG)) as url:
                assert (await fetch(f"{url}/resources/?user=ada")).code == 200
                assert type(requests.Session().adapters["http://"]) is not stock
            assert requests.Session.__init__ is init
            assert type(requests.Session().adapters["http://"]) is stock
            assert bobs_big_data.ask(backend_url, "messages", "ada", LONG) == 3
