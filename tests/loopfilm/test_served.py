"""What Tornado serves can be watched; of anything else it is said what to do with it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.routing import AnyMatches, PathMatches, ReversibleRuleRouter, Rule, RuleRouter
from tornado.web import Application, FallbackHandler, RequestHandler
from tornado.wsgi import WSGIContainer

import loopfilm
from loopfilm import labelled
from tests.loopfilm.servers import watch


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


def wsgi(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def function(request: HTTPServerRequest) -> None:
    assert request.connection
    start, headers = ResponseStartLine("HTTP/1.1", 200, "OK"), {"Content-Length": "5"}
    request.connection.write_headers(start, HTTPHeaders(headers), b"hello")
    request.connection.finish()


class Callable_:
    def __call__(self, request: HTTPServerRequest) -> None:
        function(request)


APP = Application([("/", Hello)])
FALLBACK = {"fallback": WSGIContainer(wsgi)}
SERVED: dict[str, Any] = {
    "an application": APP,
    "a router": RuleRouter([Rule(PathMatches("/"), APP)]),
    "a router that reverses": ReversibleRuleRouter([Rule(AnyMatches(), APP, name="all")]),
    "a router of functions": RuleRouter([Rule(PathMatches("/"), function)]),
    "a router of WSGI": RuleRouter([Rule(PathMatches("/"), WSGIContainer(wsgi))]),
    "WSGI": WSGIContainer(wsgi),
    "WSGI behind an application": Application([(".*", FallbackHandler, FALLBACK)]),
    "a server": HTTPServer(APP, xheaders=True),
    "a server of a router": HTTPServer(RuleRouter([Rule(AnyMatches(), APP)])),
    "a server of WSGI": HTTPServer(WSGIContainer(wsgi)),
    "a function": function,
    "a method": Callable_().__call__,
    "what can be called": Callable_(),
    "what has lanes already": labelled(APP),
}


@pytest.mark.parametrize("app", SERVED.values(), ids=SERVED)
def test_what_tornado_serves_can_be_watched(app: Any) -> None:
    f = watch(app, ["/?user=ada", "/?user=grace"])
    assert f.answers == [(200, "hello")] * 2
    assert f.lanes == ["ada", "grace"]
    assert f.together


def test_the_settings_of_an_application_count_in_a_server_too() -> None:
    events = list[str]()

    @contextlib.contextmanager
    def noting() -> Iterator[None]:
        events.append("on")
        yield
        events.append("off")

    app = Application([("/", Hello)], while_running=noting, lane=lambda request: request.uri)
    f = watch(HTTPServer(app), ["/?user=ada"])
    assert f.lanes == ["/?user=ada"]
    assert events == ["on", "off"]


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


async def async_function(request: HTTPServerRequest) -> None: ...


class AsyncCallable:
    async def __call__(self, request: HTTPServerRequest) -> None: ...


class LikeFlask:
    def __call__(self, environ: Any, start_response: Any) -> Any: ...


class LikeFastAPI:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Coming(Awaitable[Application]):
    def __await__(self) -> Any: ...


def make_app() -> Application:
    return APP


def make_app_with_options(debug: bool = False) -> Application:
    return APP


def of_two(request: HTTPServerRequest, more: int) -> None: ...


NOT_SERVED: dict[str, tuple[Any, str]] = {
    "a handler": (Hello, r"give Application\(\[\(\"/\", Hello\)\]\)"),
    "a class": (Application, r"that is a class: give Application\(\.\.\.\)"),
    "routes": ([("/", Hello)], r"give Application\(\.\.\.\) of these routes"),
    "a function of WSGI": (wsgi, "WSGI: give tornado.wsgi.WSGIContainer of it"),
    "an object of WSGI": (LikeFlask(), "WSGI: give tornado.wsgi.WSGIContainer of it"),
    "a function of ASGI": (asgi, "ASGI, which Tornado does not serve"),
    "an object of ASGI": (LikeFastAPI(), "ASGI, which Tornado does not serve"),
    "an async function": (async_function, "call it, and await nothing"),
    "an async object": (AsyncCallable(), "call it, and await nothing"),
    "what makes one": (make_app, "call it, and give what it returns"),
    "what makes one by options": (make_app_with_options, "call it, and give what it returns"),
    "what makes one soon": (Coming(), "await it first"),
    "a function of more": (of_two, "with one argument, the request"),
    "the name of a module": ("server:app", "the application itself, and not its name"),
    "a module": (sys, "that is a module: give the application in it"),
    "a number": (5, "not 5$"),
    "nothing": (None, "not None$"),
    "something long": ("x" * 500, r"not 'x{98}…: give"),
}


@pytest.mark.parametrize(("app", "words"), NOT_SERVED.values(), ids=NOT_SERVED)
def test_what_is_not_served_is_told_what_to_do_with_it(app: Any, words: str) -> None:
    with pytest.raises(TypeError, match=rf"an application is needed, .*{words}"):
        loopfilm.watch(app, ["/"])
    with pytest.raises(TypeError, match=words):
        labelled(app)


async def test_nor_does_a_server_start_of_it() -> None:
    before = asyncio.all_tasks()
    with pytest.raises(TypeError, match="WSGIContainer"):
        async with loopfilm.running(wsgi):
            pass
    assert asyncio.all_tasks() == before
