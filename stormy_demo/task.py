"""The task, and everything about it that does not change with the way of waiting.

`GET /resources/?user=ada` asks the backend three things about ada and answers them as one
piece of JSON. `blocking`, `callbacks`, `coroutines` and `greenlets` say how to wait for them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.httputil import url_concat
from tornado.iostream import UnsatisfiableReadError
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.web import Application, HTTPError, RequestHandler

from . import program
from .backend import Backend

THINGS = ("profile", "friends", "messages")

# Tornado's client gives this status to a request that got no answer at all.
NO_ANSWER = 599
CURL_TIMED_OUT = 28  # libcurl's number of this error
NOT_UNDERSTOOD = "The backend did not answer in the JSON that was agreed."

# The client of each event loop. A client refers to its loop, so even a weak dictionary would
# keep both for ever: `http_client` drops those whose loop is closed.
_clients: dict[asyncio.AbstractEventLoop, AsyncHTTPClient] = {}


def http_client() -> AsyncHTTPClient:
    """Return the client with which the handlers of this loop ask their backend.

    The client that Tornado shares sends ten requests at a time and lets the eleventh wait. This
    one belongs to the service alone, and sends a thousand at a time.
    """
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        for ended in [other for other in list(_clients) if other.is_closed()]:
            _clients.pop(ended, None)
        _clients[loop] = AsyncHTTPClient(force_instance=True, max_clients=1000)
    return _clients[loop]


def question(backend: str, thing: str, user: str) -> str:
    """Return the address at which the backend answers for this thing about this user."""
    return url_concat(f"{backend}/{thing}", {"user": user})


def answer(response: HTTPResponse, thing: str) -> Any:
    """Return what the backend said of this thing.

    Raises:
        ValueError: it did not say it in JSON.
        HTTPError: it said something else.
    """
    said = json_decode(response.body)
    if not isinstance(said, dict) or thing not in said:
        raise HTTPError(502, NOT_UNDERSTOOD)
    return said[thing]


def failure(error: BaseException | None) -> HTTPError | None:
    """Return the answer that a failure of the backend deserves.

    Args:
        error: what waiting for the backend raised, in any of the styles.

    Returns:
        A 504 for a backend that was too slow, a 502 for one that failed in another way, each
        with a sentence for the client; `None` if the backend is not to blame.
    """
    match error:
        case TimeoutError() | HTTPTimeoutError() | requests.Timeout():
            return HTTPError(504, "The backend did not answer in time.")
        case HTTPClientError() if getattr(error, "errno", None) == CURL_TIMED_OUT:
            return HTTPError(504, "The backend did not answer in time.")
        case HTTPClientError(code=code) if code != NO_ANSWER:
            return HTTPError(502, f"The backend answered {code}.")
        case requests.HTTPError(response=requests.Response(status_code=code)):
            return HTTPError(502, f"The backend answered {code}.")
        case (
            json.JSONDecodeError()
            | UnicodeDecodeError()
            | requests.exceptions.InvalidJSONError()
        ):
            return HTTPError(502, NOT_UNDERSTOOD)
        case OSError() | HTTPClientError() | UnsatisfiableReadError():
            return HTTPError(502, "The backend could not be reached, or hung up.")
    return None


class TaskHandler(RequestHandler):
    """What the handlers of all styles share: who is asked about, how an error is answered."""

    def initialize(self, backend: str, delay: float, deadline: float) -> None:
        """Keep the settings, see `task_app`."""
        self.backend = backend
        self.delay = delay
        self.deadline = deadline

    def prepare(self) -> None:
        """Read whose resources are wanted, before any style begins to wait."""
        self.user_id = self.get_argument("user", "")
        if not self.user_id:
            raise HTTPError(400, "Say whose resources you want, as in /resources/?user=ada")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Give a failed backend a line in the log, and a mistake of ours its traceback."""
        error = failure(value)
        if error:
            value = error
        super().log_exception(type(value), value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error with one sentence; a traceback is never the client's business."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        error = failure(error) or error
        sentence = "Something went wrong in here."
        if "exc_info" not in kwargs:
            # Tornado ends a handler in this way when its task is cancelled.
            self.set_status(503)
            sentence = "The server was stopped before it could answer."
        elif isinstance(error, HTTPError):
            self.set_status(error.status_code)
            sentence = error.get_message() or self._reason
        self.finish({"error": sentence})


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
    address = urlsplit(backend)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("backend must be an address such as http://127.0.0.1:8889")
    if not 0 <= delay < float("inf"):
        raise ValueError(f"delay must be 0 seconds or more, not {delay}")
    if not 0 < deadline < float("inf"):
        raise ValueError(f"deadline must be more than 0 seconds, not {deadline}")
    arguments = {"backend": backend.rstrip("/"), "delay": delay, "deadline": deadline}
    return Application([(r"/resources/", handler, arguments)], **settings)


def main(make_app: Callable[..., Application], argv: list[str] | None = None) -> int:
    """Run a style as a program, with a backend of its own if it is not given one.

    Args:
        make_app: that of the style.
        argv: the command line; that of the process if it is left out.

    Returns:
        The exit status, see `program.main`.
    """
    return program.main(make_app, argv, backend=Backend(0.05).app)
