"""The server that is measured: it runs on any Python from 3.9 on, with nothing but Tornado.

    PYTHON server.py

It is started as a file, since another Python has none of the project's modules. It ends with
whoever started it, when its standard input does.
"""

from __future__ import annotations

import _thread
import asyncio
import os
import sys

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.template import Template
from tornado.web import Application, RequestHandler

TURNS = 20_000  # of the loop
DEPTH = 17  # of the recursion
LINES = 100  # of the page
PAGE = Template(
    "<table>{% for row in rows %}"
    "<tr>{% for cell in row %}<td>{{ cell }}</td>{% end %}</tr>"
    "{% end %}</table>"
)


def fib(n: int) -> int:
    """Return the n-th number of Fibonacci, by calls alone."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Hello(RequestHandler):
    """Nearly nothing of its own: what is measured is Tornado."""

    def get(self) -> None:
        self.write("hello")


class Loop(RequestHandler):
    """A tight loop over small whole numbers."""

    def get(self) -> None:
        total = 0
        for n in range(TURNS):
            total = (total + n * n) % 1_000_003
        self.write(str(total))


class Recursion(RequestHandler):
    """Some thousands of calls."""

    def get(self) -> None:
        self.write(str(fib(DEPTH)))


class Page(RequestHandler):
    """A table from a template: what handlers do all day."""

    def get(self) -> None:
        rows = [[n, n * n, f"name {n}", n % 7] for n in range(LINES)]
        self.write(PAGE.generate(rows=rows))


HANDLERS = {"/hello": Hello, "/loop": Loop, "/recursion": Recursion, "/page": Page}


def end_with_stdin() -> None:
    """Wait, in a thread, until nobody is left who could write to this process; then end it."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


async def main() -> None:
    """Serve, and say where."""
    [*handlers] = HANDLERS.items()
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(Application(handlers)).add_sockets(sockets)
    print(f"listening on http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    _thread.start_new_thread(end_with_stdin, ())
    asyncio.run(main())
