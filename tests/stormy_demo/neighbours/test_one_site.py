"""Two applications are one site, whoever comes to it; their tests are `test_asgi`'s."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from loopfilm import film, running

pytest.importorskip("starlette", reason="Starlette is not installed")

from stormy_demo.neighbours import one_site
from stormy_demo.program import main
from tests import quick_start
from tests.bad_clients import Server, Visit, connect, http_requests, serving, visits
from tests.paths import ROOT

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

# Seconds that no machine is too busy for.
LONG = 500
PATHS = [
    *("/ours", "/theirs/", "/theirs", "/theirs/who", "/theirs/nap", "/theirs/lines"),
    *("/theirs/upload", "/theirs/note", "/theirs/cookies", "/theirs/asked/x"),
]


def served() -> AbstractAsyncContextManager[str]:
    return running(one_site.make_app())


async def ask(url: str) -> HTTPResponse:
    return await AsyncHTTPClient().fetch(url, raise_error=False, request_timeout=LONG)


async def test_each_serves_its_half() -> None:
    async with served() as url:
        assert b'href="/theirs/"' in (await ask(url)).body
        assert json.loads((await ask(f"{url}/ours")).body)["thread"]
        assert b"Starlette wrote this" in (await ask(f"{url}/theirs/")).body
        assert (await ask(f"{url}/theirs/nothing")).body == b"Not Found"
        assert b"There is nothing here" in (await ask(f"{url}/nothing")).body


async def test_what_is_a_def_over_there_has_a_thread_of_its_own() -> None:
    here = threading.current_thread().name
    async with served() as url:
        told = [
            (await ask(url + path)).body for path in ["/ours", "/theirs/who", "/theirs/nap"]
        ]
    ours, who, nap = [json.loads(body)["thread"] for body in told]
    assert ours == who == here != nap


async def test_what_is_noted_after_the_answer_is_there() -> None:
    async with served() as url:
        for count in range(3):
            page = (await ask(f"{url}/theirs/")).body.decode()
            assert f"has written {count} notes" in page
            await ask(f"{url}/theirs/note?text=hello")


async def test_a_film_has_a_lane_for_each_request_of_either_half() -> None:
    async with served() as url:
        with film() as f:
            for path in ["/ours", "/theirs/who"]:
                await ask(url + path)
    assert f.lanes == ["/ours", "/theirs/who"]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(served) as running_server:
        yield running_server


@given(visits(http_requests(PATHS, ["count", "seconds", "text", "user"])))
def test_survives_whoever_comes(server: Server, visit: Visit) -> None:
    server.survives(visit, "/theirs/who")


class TestProgram:
    """That it serves and ends is `test_every_program`'s."""

    def test_says_in_a_line_why_it_cannot_start(self) -> None:
        replaced = """
            import runpy
            from stormy_demo.neighbours.counterparts import starlette_site
            async def refuses(scope, receive, send):
                failed = "lifespan.startup.failed"
                await send({"type": failed, "message": "OSError: no book"})
            starlette_site.site = refuses
            runpy.run_module("stormy_demo.neighbours.one_site", run_name="__main__")
        """
        command = [sys.executable, "-c", dedent(replaced)]
        done = quick_start.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[-1] == "The application cannot start: OSError: no book"
        assert "Traceback" not in done.stderr

    def test_ends_theirs_when_it_cannot_listen(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ended = []

        async def theirs(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            ended.append((await receive())["type"])
            await send({"type": "lifespan.shutdown.complete"})

        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            command = ["one_site", f"--port={port}"]
            assert main(lambda: one_site.with_theirs(theirs, 10), command) == 1
        assert "cannot listen" in capsys.readouterr().err
        assert ended == ["lifespan.shutdown"]

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
    def test_ends_while_theirs_is_at_work_and_tells_who_waits(self) -> None:
        command = [sys.executable, "-m", "stormy_demo.neighbours.one_site", "--port=0"]
        with quick_start.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program:
            try:
                assert program.stdout
                url = program.stdout.readline().split()[2]
                with connect(url) as uploading:
                    head = ["PUT /theirs/upload HTTP/1.1", "Host: here", "Content-Length: 9"]
                    uploading.sendall("\r\n".join([*head, "", ""]).encode())
                    # Behind it, so that it has begun.
                    assert asyncio.run(ask(f"{url}/theirs/who")).code == 200
                    program.send_signal(signal.SIGTERM)
                    assert uploading.recv(1000).startswith(b"HTTP/1.1 503 ")
                out, err = program.communicate(timeout=LONG)
            finally:
                program.kill()
        assert (program.returncode, out) == (0, "stopped\n")
        lines = [line for line in err.splitlines() if " 200 " not in line]
        assert [line for line in lines if " 503 PUT /theirs/upload" not in line] == []


def test_a_body_of_less_than_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(one_site.make_app, ["one_site", "--largest=-1"]) == 2
    assert "largest must be 0 or more, not -1" in capsys.readouterr().err
