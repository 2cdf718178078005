"""The task, with callbacks: each step ends by saying which function goes on later."""

from __future__ import annotations

import functools
import sys
from asyncio import Future
from collections.abc import Callable
from typing import Any

from tornado.httpclient import HTTPResponse
from tornado.ioloop import IOLoop
from tornado.web import Application

from .task import THINGS, TaskHandler, answer, http_client, main, question, task_app


def heard(callback: Callable[..., None]) -> Callable[..., None]:
    """Carry what a callback raises to the request that waits for it.

    The loop calls a callback, and all it can do with an exception is to log it. The request
    would wait for ever.
    """

    @functools.wraps(callback)
    def wrapper(self: ResourceHandler, *args: Any) -> None:
        try:
            callback(self, *args)
        except Exception as error:
            self.fail(error)

    return wrapper


class ResourceHandler(TaskHandler):
    """Answer with three things about a user, and never wait."""

    def get(self) -> Future[None]:
        """Promise an answer, and come back later."""
        self.done: Future[None] = Future()
        self.answers: dict[str, Any] = {}
        IOLoop.current().call_later(self.delay, self.ask_all)
        return self.done

    @heard
    def ask_all(self) -> None:
        """Ask all three at once."""
        if self.done.done():
            # The request was cancelled; the timer that led here could not know.
            return
        loop = IOLoop.current()
        self.alarm = loop.call_later(self.deadline, self.fail, TimeoutError())
        for thing in THINGS:
            self.ask(thing)

    def ask(self, thing: str) -> None:
        """Ask for one thing, and say who takes the answer."""
        url = question(self.backend, thing, self.user_id)
        response = http_client().fetch(url, request_timeout=self.deadline)
        IOLoop.current().add_future(response, functools.partial(self.on_answer, thing))

    @heard
    def on_answer(self, thing: str, response: Future[HTTPResponse]) -> None:
        """Keep an answer; the last one completes the request."""
        self.answers[thing] = answer(response.result(), thing)
        if len(self.answers) == len(THINGS):
            IOLoop.current().add_callback(self.on_all_answers)

    @heard
    def on_all_answers(self) -> None:
        """Answer the client."""
        if self.done.done():
            return
        IOLoop.current().remove_timeout(self.alarm)
        # In the order of asking: the answers came as they liked.
        answers = {thing: self.answers[thing] for thing in THINGS}
        self.write({"user": self.user_id, **answers})
        self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        """Answer the client with a failure; only the first one counts."""
        if self.done.done():
            return
        IOLoop.current().remove_timeout(self.alarm)
        self.done.set_exception(error)


def make_app(backend: str, delay: float = 0.0, deadline: float = 2.0) -> Application:
    """Make the application, see `task.task_app`."""
    return task_app(ResourceHandler, backend, delay, deadline)


if __name__ == "__main__":
    sys.exit(main(make_app))
