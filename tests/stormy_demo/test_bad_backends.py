"""Whatever a backend answers, the one who asks the service is told the same in each style."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
import requests
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient

from loopfilm import running
from stormy_demo import (
    blocking,
    bobs_big_data,
    callbacks,
    coroutines,
    greenlets,
    strict_requests,
)

from .bad_backends import (
    DIFFERENT,
    LATE,
    MISUNDERSTOOD,
    NEVER_TOO_LATE_FOR_BLOCKING,
    NO_ANSWER,
    NOT_UNDERSTOOD,
    OK,
    OTHER_STATUS,
    RIGHT_ANSWERS,
    THINGS,
    TOLD,
    TOO_LATE,
    UNREACHED,
    VALUES,
    Says,
    Told,
    bad_backend,
    lines,
)

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

ON_REQUESTS = [blocking, greenlets]
STYLES = [blocking, callbacks, coroutines, greenlets]
# Seconds: for all that ends by itself, and for what does not.
LONG, SHORT = 500, 0.1


def name(style: ModuleType) -> str:
    return style.__name__.rpartition(".")[2]


every_style = pytest.mark.parametrize("style", STYLES, ids=name)


async def told(
    style: ModuleType, answers: dict[str, Says], deadline: float = LONG
) -> dict[str, Told]:
    """Return what the service says when its backend answers in each of these ways."""
    client = AsyncHTTPClient(force_instance=True, max_clients=10)
    with bad_backend(answers) as backend:
        async with running(style.make_app(backend, deadline=deadline)) as url:

            async def ask(user: str) -> Told:
                response = await client.fetch(
                    f"{url}/resources/?user={quote(user)}",
                    raise_error=False,
                    connect_timeout=0,
                    request_timeout=0,
                )
                return response.code, said(json_decode(response.body), user)

            return dict(zip(answers, await asyncio.gather(*map(ask, answers)), strict=True))


def said(body: dict[str, Any], user: str) -> object:
    """Return the sentence of an error, or what was said of each thing."""
    if list(body) == ["error"]:
        return body["error"]
    value = body["profile"]
    assert body == {"user": user, **dict.fromkeys(THINGS, value)}
    return value


@pytest.fixture
def quiet_urllib3(caplog: pytest.LogCaptureFixture) -> None:
    """Let urllib3 say nothing of headers that it cannot read."""
    caplog.set_level("CRITICAL", "urllib3.connection")


@every_style
class TestEveryStyle:
    async def test_understands_what_http_and_json_allow(self, style: ModuleType) -> None:
        assert await told(style, RIGHT_ANSWERS) == dict.fromkeys(RIGHT_ANSWERS, TOLD)

    async def test_gives_on_each_value_that_json_has(self, style: ModuleType) -> None:
        answers = {name: answer for name, (answer, _) in VALUES.items()}
        assert await told(style, answers) == {
            name: (200, value) for name, (_, value) in VALUES.items()
        }

    async def test_tells_which_other_status_came(self, style: ModuleType) -> None:
        """Also of a redirect, wherever it leads: none was agreed, and none is followed."""
        answers = {name: answer for name, (answer, _) in OTHER_STATUS.items()}
        assert await told(style, answers) == {
            name: (502, f"The backend answered {code}.")
            for name, (_, code) in OTHER_STATUS.items()
        }

    async def test_tells_that_it_is_not_the_json_that_was_agreed(
        self, style: ModuleType
    ) -> None:
        assert await told(style, NOT_UNDERSTOOD) == dict.fromkeys(NOT_UNDERSTOOD, MISUNDERSTOOD)

    @pytest.mark.usefixtures("quiet_urllib3")
    async def test_tells_that_there_is_no_answer(self, style: ModuleType) -> None:
        assert await told(style, NO_ANSWER) == dict.fromkeys(NO_ANSWER, UNREACHED)

    async def test_tells_that_it_does_not_end_in_time(self, style: ModuleType) -> None:
        assert await told(style, TOO_LATE, SHORT) == dict.fromkeys(TOO_LATE, LATE)

    async def test_differs_only_where_its_library_does(self, style: ModuleType) -> None:
        answers = {name: each.answer for name, each in DIFFERENT.items()}
        assert await told(style, answers) == {
            name: each.by_requests if style in ON_REQUESTS else each.by_tornado
            for name, each in DIFFERENT.items()
        }


@pytest.mark.parametrize("style", [callbacks, coroutines, greenlets], ids=name)
async def test_a_polite_style_tells_that_a_header_does_not_end_in_time(
    style: ModuleType,
) -> None:
    drops = NEVER_TOO_LATE_FOR_BLOCKING
    assert await told(style, drops, 1) == dict.fromkeys(drops, LATE)


@pytest.mark.parametrize(
    ("begin", "drop"),
    [(b"HTTP/1.1 500 ", b"x"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n")],
    ids=["a header", "100"],
)
def test_requests_takes_the_drops_of_a_header_also_when_it_is_late(
    begin: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This is why `blocking` may wait for ever. When the header ends, it is told as late."""
    whole = threading.Event()
    # Each look at this clock is an hour after the one before.
    hours = SimpleNamespace(monotonic=itertools.count(step=3600).__next__)
    monkeypatch.setattr(strict_requests, "time", hours)

    def serve(server: socket.socket) -> bytes:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(begin)
            for _ in range(20):
                connection.sendall(drop)
                whole.wait(0.01)
            whole.set()
            connection.sendall(b"\r\n\r\n" if begin else lines(OK, "Content-Length: 0").data)
            # Nothing but the end comes when all was taken.
            return connection.recv(1)

    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        ThreadPoolExecutor() as pool,
    ):
        served = pool.submit(serve, server)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(requests.Timeout, match="the header came too slowly"):
            bobs_big_data.ask(url, "profile", "ada", LONG)
        assert whole.is_set()
        assert served.result() == b""


async def test_greenlets_give_up_a_backend_that_sends_faster_than_it_is_read() -> None:
    """There is always more of it, and the loop goes on all the same."""
    endless = {"100": Says(b"", "again", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)}
    # Newer Pythons read a hundred of these and no more, and that is too soon to be late.
    bounded = hasattr(http.client, "_MAXINTERIMRESPONSES")
    assert await told(greenlets, endless, 1) == {"100": UNREACHED if bounded else LATE}


def test_what_differs_is_the_exception() -> None:
    alike = RIGHT_ANSWERS | VALUES | OTHER_STATUS | NOT_UNDERSTOOD | NO_ANSWER | TOO_LATE
    assert len(DIFFERENT | NEVER_TOO_LATE_FOR_BLOCKING) < len(alike) / 10
