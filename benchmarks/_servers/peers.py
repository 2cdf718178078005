"""Which servers are compared, how each is started, and in which groups it takes part."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.resources import files

from classroom.measuring.program import NotStarted, Program, command, program
from stormy_demo.peers import answers

from .._shared.variables import few_variables

BASELINE = "Tornado"
ALONE = "the upstream alone"
PACKAGE = "stormy_demo.peers"
NODE = "node_http.js"
# As many as there are visitors, so that none waits for a thread.
THREADS = 200


@dataclass(frozen=True)
class Group:
    """What is asked for.

    Attributes:
        path: the address on the server.
        answer: the bytes that have to come.
        at_once: how many ask.
        seconds: for how long, in each round.
    """

    path: str
    answer: bytes
    at_once: int
    seconds: int


GROUPS = {
    "hello": Group("/", answers.HELLO, 50, 1),
    "report": Group("/report", answers.report(), 50, 1),
    "resource": Group("/resource", answers.resource(b'{"profile": "Ada Lovelace"}'), 200, 2),
}
ALL = ("hello", "report", "resource")
UNLIKE = ("hello", "resource")


@dataclass(frozen=True)
class Peer:
    """A server that is compared.

    Attributes:
        words: its program, and what that is told.
        about: with what it runs, in a few words.
        groups: what it is asked for.
    """

    words: tuple[str, ...]
    about: str
    groups: tuple[str, ...] = UNLIKE

    def start(self, upstream: str) -> AbstractContextManager[Program]:
        """Start it; raises `NotStarted` when it is not here.

        Args:
            upstream: the address of its backend.
        """
        name, *more = self.words
        given = ["--port=0", f"--upstream={upstream}", "--end-with-stdin", *more]
        few = few_variables()
        if name != NODE:
            return program(f"{PACKAGE}.{name}", *given, environment=few)
        if not (node := shutil.which("node")):
            raise NotStarted("node", "node is not installed")
        return command(node, str(files(PACKAGE) / NODE), *given, name="node", environment=few)


PEERS = {
    BASELINE: Peer(
        ("tornado_app",), "an Application on asyncio; asks with Tornado's simple client", ALL
    ),
    "Tornado, HTTPServer alone": Peer(
        ("tornado_raw",), "a function, no Application; asks with Tornado's simple client", ALL
    ),
    "Tornado on uvloop": Peer(
        ("tornado_app", "--loop=uvloop"), "asks with Tornado's simple client"
    ),
    "Starlette on uvicorn": Peer(
        ("uvicorn_server",), "uvloop, and httptools as its parser; asks with httpx", ALL
    ),
    "Starlette on uvicorn, in Python": Peer(
        ("uvicorn_server", "--loop=asyncio", "--http=h11"),
        "asyncio, and h11 as its parser: nothing of it is compiled",
        ("hello",),
    ),
    "Starlette on Granian": Peer(
        ("granian_server",),
        "ASGI, one worker, one thread of its runtime, uvloop; asks with httpx",
    ),
    "aiohttp": Peer(("aiohttp_app",), "asyncio, its own parser; asks with its own client", ALL),
    "gevent": Peer(
        ("gevent_wsgi", "--nodelay"), "pywsgi with TCP_NODELAY; asks with requests", ALL
    ),
    "gevent without NODELAY": Peer(("gevent_wsgi",), "pywsgi as it comes; asks with requests"),
    "Flask on waitress": Peer(
        ("flask_waitress", f"--threads={THREADS}"),
        f"{THREADS} threads; each asks with a session of requests",
        ALL,
    ),
    "Node's http": Peer((NODE,), "one process; asks with its own client, which keeps alive"),
    "Tornado, curl": Peer(
        ("tornado_app", "--client=curl"), "asks with Tornado's client on libcurl", ("resource",)
    ),
    "Tornado, aiohttp's client": Peer(
        ("tornado_app", "--client=aiohttp"), "asks with aiohttp's client", ("resource",)
    ),
    "Starlette on uvicorn, aiohttp's client": Peer(
        ("uvicorn_server", "--client=aiohttp"),
        "uvloop and httptools; asks with aiohttp's client",
        ("resource",),
    ),
}


def version_of_node() -> str | None:
    """Return which Node is here, or None."""
    if not (node := shutil.which("node")):
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v([\d.]+)", said)
    return found[1] if found else None
