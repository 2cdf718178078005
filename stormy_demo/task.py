"""The task, and everything about it that does not change with the way of waiting.

`GET /resources/?user=ada` asks the backend three things about ada and answers them as one
piece of JSON. `blocking`, `callbacks`, `coroutines` and `greenlets` say how to wait for them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from tornado.httpclient import HTTPResponse
from tornado.httputil import url_concat
from tornado.ioloop import IOLoop
from tornado.web import Application, HTTPError

from . import program
from .agreed import BackendError, TooLate, said_of
from .backend import LONGEST, Backend
from .sentences import NotFoundHandler, SentenceHandler
from .strict_requests import fault_of
from .strict_tornado import asking
from .strict_tornado import http_client as http_client

THINGS = ("profile", "friends", "messages")

# Seconds after its deadline when a request is ended that did not end by itself.
GRACE_PERIOD = 0.1


def question(backend: str, thing: str, user: str) -> str:
    """Return the address at which the backend answers for this thing about this user."""
    return url_concat(f"{backend}/{thing}", {"user": user})


def answer(response: HTTPResponse, thing: str) -> Any:
    """Return what the backend said of this thing.

    Raises:
        BackendError: it said nothing, or not what was agreed.
    """
    response.rethrow()
    return said_of(thing, response.code, response.body)


def failure(error: BaseException | None) -> HTTPError | None:
    """Return the answer that a failure of the backend deserves.

    Args:
        error: what waiting for the backend raised, in any of the styles.

    Returns:
        A 504 for a backend that was too slow, a 502 for one that failed in another way, each
        with a sentence for the client; `None` if the backend is not to blame.
    """
    match error:
        case BackendError():
            fault: BackendError | None = error
        case requests.RequestException():
            fault = fault_of(error)
        case TimeoutError(args=()):
            # An alarm of ours. What comes from the system says more.
            fault = TooLate()
        case _:
            fault = None
    return HTTPError(fault.status, str(fault)) if fault else None


class TaskHandler(SentenceHandler):
    """What the handlers of all styles share: who is asked about, how an error is answered."""

    def initialize(self, backend: str, delay: float, deadline: float) -> None:
        """Keep the settings, see `task_app`."""
        self.backend = backend
        self.delay = delay
        self.deadline = deadline
        self.last_alarm: object = None
        self.is_late = False

    def prepare(self) -> None:
        """Read whose resources are wanted, before any style begins to wait."""
        self.user_id = self.only_argument("user", "")
        if not self.user_id:
            raise HTTPError(400, "Say whose resources you want, as in /resources/?user=ada")
        # Not every style can end what it waits for: requests has no limit for all of its time.
        seconds = self.delay + self.deadline + GRACE_PERIOD
        task = asyncio.current_task()
        self.last_alarm = IOLoop.current().call_later(seconds, self.end_late, task)

    def end_late(self, task: asyncio.Task[None]) -> None:
        """End the request that runs in this task, although it has no answer."""
        self.last_alarm = None
        self.is_late = True
        task.cancel()

    def on_finish(self) -> None:
        """Need no alarm any more."""
        if self.last_alarm:
            IOLoop.current().remove_timeout(self.last_alarm)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Give a failed backend a line in the log, and a mistake of ours its traceback."""
        error = failure(value) or value
        super().log_exception(type(error), error, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error with one sentence."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if error is None and self.is_late:
            error = TooLate()
        if error is not None:
            error = failure(error) or error
            kwargs["exc_info"] = (type(error), error, None)
        super().write_error(status_code, **kwargs)


def task_app(
    handler: type[TaskHandler], backend: str, delay: float, deadline: float, **settings: Any
) -> Application:
    """Make the application that every style makes, around that style's handler.

    Args:
        handler: the style.
        backend: address of the service that is asked, such as "http://127.0.0.1:8889".
        delay: seconds to wait before asking it, 0 or more.
        deadline: seconds that the backend has for all its answers, more than 0.
        **settings: passed on to `tornado.web.Application`.

    Raises:
        ValueError: an argument is not what it should be.
    """
    if not _is_address(backend):
        raise ValueError("backend must be an address such as http://127.0.0.1:8889")
    if not 0 <= delay <= LONGEST:
        raise ValueError(f"delay must be from 0 seconds to a day of them, not {delay}")
    if not 0 < deadline <= LONGEST:
        raise ValueError(
            f"deadline must be more than 0 seconds, and a day at most, not {deadline}"
        )
    arguments = {"backend": backend.rstrip("/"), "delay": delay, "deadline": deadline}
    return Application(
        [(r"/resources/", handler, arguments)],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/resources/?user=ada"},
        **{"while_running": asking, **settings},
    )


def _is_address(backend: str) -> bool:
    try:
        address = urlsplit(backend)
        port, host = address.port, (address.hostname or "").encode("idna")
    except ValueError:
        return False
    if address.scheme not in ("http", "https") or not host or port == 0:
        return False
    # What the things are added to, and what no client has to encode in a way of its own.
    return re.fullmatch(r"[!-~]+", backend) is not None and not {"?", "#"} & set(backend)


def main(make_app: Callable[..., Application], argv: list[str] | None = None) -> int:
    """Run a style as a program, with a backend of its own if it is not given one.

    Args:
        make_app: that of the style.
        argv: the command line; that of the process if it is left out.

    Returns:
        The exit status, see `program.main`.
    """
    return program.main(make_app, argv, backend=Backend(0.05).app)
