"""A trial of what `lab` starts: its server, its page, and a kernel that runs a cell.

    python -m tools.trial PAGE

`check` runs this on the Python of `.venv`, in the environment of `lab`. It exits with 0 if all
of it went well; if not, the last line that it prints says what did not. Nothing stays behind.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import uuid
from pathlib import Path

from tornado.websocket import WebSocketClientConnection, websocket_connect

from tools.paths import ROOT
from tools.serving import DEADLINE, Fault, Server, serving

SCRIPT = re.compile(r'<script[^>]* src="([^"]+\.js[^"]*)"')
# What the notebooks need: the packages, `await` in a cell, a server, a client that reaches it.
CELL = """\
import classroom, greenlet, requests, stormy_demo, tornado
from loopfilm import running
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application

async with running(Application()) as url:
    answer = await AsyncHTTPClient().fetch(url, raise_error=False)
print("answered", answer.code)
"""
PRINTS = "answered 404\n"


async def trial(page: Path) -> None:
    """Try all of it.

    Args:
        page: what `lab` would open.

    Raises:
        Fault: something does not work.
    """
    try:
        async with asyncio.timeout(DEADLINE), serving(page) as server:
            await server.during(look_at_the_page(server))
            await server.during(run_a_cell(server, page.relative_to(ROOT).as_posix()))
    except TimeoutError:
        raise Fault(f"it takes more than {DEADLINE // 60} minutes to start") from None


async def look_at_the_page(server: Server) -> None:
    """Fetch what a browser fetches first.

    Raises:
        Fault: there is no page, or nothing that would fill it.
    """
    page = await server.ask(server.page)
    script = SCRIPT.search(page.body.decode())
    if not script:
        raise Fault("the page of JupyterLab is empty")
    kind = (await server.ask(script[1])).headers.get("Content-Type", "")
    if "javascript" not in kind:
        raise Fault(f"the script of JupyterLab's page is sent as '{kind}'")


async def run_a_cell(server: Server, notebook: str) -> None:
    """Start a kernel as a notebook does, and let it run a cell.

    Args:
        server: where.
        notebook: its path, below the root of the server.

    Raises:
        Fault: there is no kernel, or the cell does not print what it should.
    """
    wanted = {"path": notebook, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    session = await server.ask("/api/sessions", "POST", **wanted)
    kernel = json.loads(session.body)["kernel"]["id"]
    address = server.request(f"/api/kernels/{kernel}/channels")
    address.url = address.url.replace("http", "ws", 1)
    channels = await websocket_connect(address)
    try:
        name = uuid.uuid4().hex
        await channels.write_message(json.dumps(_to_run(CELL, name)))
        printed = await _printed(channels, name, server)
    finally:
        channels.close()
    if PRINTS not in printed:
        raise Fault(f"a cell prints '{printed.strip()}'")


def _to_run(code: str, name: str) -> dict[str, object]:
    """Return the message that has a kernel run a cell, and leaves no history."""
    header = {"msg_id": name, "session": name, "username": "", "version": "5.3"}
    return {
        "channel": "shell",
        "header": header | {"msg_type": "execute_request"},
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "store_history": False},
    }


async def _printed(channels: WebSocketClientConnection, name: str, server: Server) -> str:
    """Return what a cell prints until it is done."""
    printed = ""
    while (text := await channels.read_message()) is not None:
        message = json.loads(text)
        kind, content = message["msg_type"], message["content"]
        if message["parent_header"].get("msg_id") != name:
            continue
        if kind == "error":
            raise Fault(f"a cell fails: {content['ename']}: {content['evalue']}")
        if kind == "stream":
            printed += content["text"]
        if kind == "status" and content["execution_state"] == "idle":
            return printed
    raise Fault(f"the connection to a kernel ends{server.because()}")


def main() -> None:
    """Try it, and say what does not work."""
    # What a console of Windows has no letter for may stand in a path.
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        asyncio.run(trial(Path(sys.argv[1])))
    except (Fault, OSError) as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
