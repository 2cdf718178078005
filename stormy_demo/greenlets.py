"""The task, with greenlets: the blocking code of Bob's library, made to wait politely."""

from __future__ import annotations

import asyncio
import sys

from tornado.web import Application

from tornalet import tornalet, wait
from trequests import setup_session

from . import bobs_big_data
from .task import THINGS, TaskHandler, main, task_app


class ResourceHandler(TaskHandler):
    """Answer with three things about a user, by way of code that looks as if it blocked."""

    @tornalet
    def get(self) -> None:
        """Ask one after another."""
        wait(asyncio.sleep(self.delay))
        answers = bobs_big_data.ask_all(self.backend, THINGS, self.user_id, self.deadline)
        self.write({"user": self.user_id, **answers})


def make_app(backend: str, delay: float = 0.0, deadline: float = 2.0) -> Application:
    """Make the application, see `task.task_app`."""
    # Only while the application runs: requests is changed for everybody in the process.
    return task_app(ResourceHandler, backend, delay, deadline, while_running=setup_session)


if __name__ == "__main__":
    sys.exit(main(make_app))
