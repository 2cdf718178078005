"""JupyterLab as `lab` starts it, started for a trial and ended.

This runs on the Python of `.venv`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from tools.paths import ROOT

DEADLINE = 300  # seconds: a machine may be slow
ENDING = 30  # seconds in which it may end by itself
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+/\S*)\?token=(\w+)")
# What Jupyter logs as critical or an error, and the end of a traceback.
FAILURE = re.compile(r"(?:\[[CE] [^]]*\] (?=\S)|(?=[\w.]*(?:Error|Exception)\b))(.*)")
ENDED = re.compile(r"restarting kernel|restart failed")


class Fault(Exception):
    """What does not work, in a few words."""


class Server:
    """A running JupyterLab.

    Attributes:
        page: the address that a browser would be given.
        token: what it wants to be told with each request.
        said: the lines of its log.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.page = self.token = ""
        self.said: list[str] = []

    async def start(self) -> None:
        """Read its log until it says where it is.

        Raises:
            Fault: it ends before it does.
        """
        while line := await self._read():
            if found := ADDRESS.search(line):
                self.page, self.token = found.groups()
                return
        raise Fault(f"JupyterLab ends as soon as it is started{self.because()}")

    async def during(self, work: Coroutine[None, None, None]) -> None:
        """Read its log, so that it can go on writing, while something is done with it.

        Args:
            work: what is done.

        Raises:
            Fault: a kernel ends by itself; Jupyter would start it again, and again.
        """
        doing = asyncio.create_task(work)
        reading = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({doing, reading}, return_when=asyncio.FIRST_COMPLETED)
            await (reading if reading.done() else doing)
            await doing
        finally:
            doing.cancel()
            reading.cancel()

    async def _watch(self) -> None:
        while line := await self._read():
            if ENDED.search(line):
                raise Fault(f"a kernel ends as soon as it is started{self.because()}")

    async def _read(self) -> str:
        assert self._process.stdout
        line = (await self._process.stdout.readline()).decode(errors="replace")
        print(line, end="", flush=True)
        if line.strip():
            self.said.append(line.strip())
        return line

    def because(self) -> str:
        """Return the line of its log that tells best why it failed, behind a colon."""
        told = [found[1] for line in self.said if (found := FAILURE.match(line))]
        return f": {told[-1]}" if told else ""

    async def ask(self, path: str, method: str = "GET", /, **content: object) -> HTTPResponse:
        """Send a request, as the page does.

        Args:
            path: where to, or a whole address.
            method: of HTTP.
            **content: what is posted.

        Raises:
            Fault: the answer is no success.
        """
        body = json.dumps(content) if method == "POST" else None
        request = self.request(path, method=method, body=body)
        while True:
            try:
                return await AsyncHTTPClient().fetch(request)
            except HTTPClientError as refusal:
                why = _reason(refusal) or self.because()
                raise Fault(f"{method} {urlsplit(path).path}: {refusal}{why}") from None
            except ConnectionRefusedError:
                # It says where it is a moment before it listens.
                if self._process.returncode is not None:
                    raise Fault(f"JupyterLab ends{self.because()}") from None
                await asyncio.sleep(0.05)

    def request(self, path: str, **options: Any) -> HTTPRequest:
        """Return a request that has the token, and time."""
        return HTTPRequest(
            urljoin(self.page, path),
            headers={"Authorization": f"token {self.token}"},
            connect_timeout=DEADLINE,
            request_timeout=DEADLINE,
            **options,
        )

    async def end(self) -> None:
        """End it, and all of its kernels."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDING):
                asked = False
                with contextlib.suppress(Fault, OSError):
                    if self.token:
                        await self.ask("/api/shutdown", "POST")
                        asked = True
                if not asked and self._process.returncode is None:
                    self._process.terminate()
                while await self._read():
                    pass
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()


def _reason(refusal: HTTPClientError) -> str:
    """Return what Jupyter says to explain an answer, if it says something."""
    with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
        return f": {json.loads(refusal.response.body)['message']}"  # type: ignore[union-attr]
    return ""


@contextlib.asynccontextmanager
async def serving(page: Path) -> AsyncIterator[Server]:
    """Run it while the block runs, without a browser, and on a port that is free.

    Args:
        page: the notebook that it would open.

    Raises:
        Fault: it does not start.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "tools.lab", page, "--no-browser", "--port=0"),
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**20,
    )
    server = Server(process)
    try:
        await server.start()
        yield server
    finally:
        await server.end()
