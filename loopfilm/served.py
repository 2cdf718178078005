"""What a server of Tornado serves, and what to do with what it does not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import cast

from tornado.httputil import HTTPServerConnectionDelegate, HTTPServerRequest
from tornado.web import RequestHandler

# All that an `HTTPServer` serves: an application, a router, another delegate, or a callable.
Served = HTTPServerConnectionDelegate | Callable[[HTTPServerRequest], None]
MOST = 100  # letters that an error shows of what was given


def as_served(app: object) -> Served:
    """Return what was given, if it is something that an `HTTPServer` serves.

    That is an `Application`, a router, an `HTTPServer`, a `WSGIContainer`, or a function that
    answers the request it is called with.

    Raises:
        TypeError: it is not. The error says what to do with such a thing.
    """
    why = why_not(app)
    if why is not None:
        words = f"an application is needed, such as Application([...]), not {described(app)}"
        raise TypeError(f"{words}: {why}" if why else words)
    return cast("Served", app)


def why_not(app: object) -> str | None:
    """Return what to do with something that no server serves.

    Returns:
        `None` if it is served; otherwise advice, which is empty where there is none.
    """
    if isinstance(app, type):
        if issubclass(app, RequestHandler):
            return f'give Application([("/", {app.__name__})])'
        return f"that is a class: give {app.__name__}(...)"
    if isinstance(app, HTTPServerConnectionDelegate):
        return None
    if isinstance(app, str):
        return "give the application itself, and not its name"
    if isinstance(app, ModuleType):
        return "that is a module: give the application in it"
    if isinstance(app, list | tuple):
        return "give Application(...) of these routes"
    if inspect.isawaitable(app):
        return "await it first"
    return _why_not_called(app) if callable(app) else ""


def _why_not_called(app: Callable[..., object]) -> str | None:
    """Return why Tornado, which calls it with a request, gets no answer by that."""
    try:
        signature = inspect.signature(app)
    except (TypeError, ValueError):
        return None
    if "start_response" in signature.parameters:
        return "that is an application of WSGI: give tornado.wsgi.WSGIContainer of it"
    if {"receive", "send"} <= signature.parameters.keys():
        return "that is an application of ASGI, which Tornado does not serve"
    first = next(iter(signature.parameters.values()), None)
    if first is None or first.default is not first.empty:
        # What makes an application may have options; a request always comes.
        return "call it, and give what it returns"
    try:
        signature.bind(None)
    except TypeError:
        return "Tornado would call it with one argument, the request"
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__):
        return "Tornado would call it, and await nothing: take a RequestHandler"
    return None


def described(thing: object) -> str:
    """Return a thing as Python shows it, and of a long text the beginning."""
    text = repr(thing)
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"
