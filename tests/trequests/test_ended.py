"""A connection that somebody ends while an answer is read from it, as docker's client does."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from tornalet import run
from trequests import setup_session

from .test_clients import Trust

pytestmark = pytest.mark.usefixtures("no_noise", "no_proxies")


class Endless(RequestHandler):
    """Begins an answer, and does not go on."""

    async def get(self) -> None:
        self.write("a line\n")
        await self.flush()
        await asyncio.Event().wait()


def read(url: str, ca: str, begun: threading.Event, answers: list[Any]) -> list[str]:
    with requests.get(url, verify=ca, stream=True, timeout=500) as answer:
        answers.append(answer)
        lines = list[str]()
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for piece in answer.iter_content(1):
                lines.append(piece.decode())
                if piece == b"\n":
                    begun.set()
        return lines


def end(begun: threading.Event, answers: list[Any]) -> None:
    begun.wait(500)
    sock = answers[0].raw._fp.fp.raw._sock
    sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("way", ["stock", "sockets"])
async def test_who_reads_is_told_of_the_end(way: str, tmp_path: Path) -> None:
    trust = Trust(tmp_path)
    server = HTTPServer(Application([("/", Endless)]), ssl_options=trust.server("127.0.0.1"))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    url = f"https://127.0.0.1:{sockets[0].getsockname()[1]}"
    begun, answers = threading.Event(), list[Any]()
    arguments = (url, trust.path("ca.pem"), begun, answers)
    ending = asyncio.create_task(asyncio.to_thread(end, begun, answers))
    try:
        if way == "stock":
            lines = await asyncio.to_thread(read, *arguments)
        else:
            with setup_session(outside="raise"):
                lines = await run(read, *arguments)
        assert lines == list("a line\n")
    finally:
        begun.set()
        await asyncio.wait([ending])
        server.stop()
        await server.close_all_connections()
