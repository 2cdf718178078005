"""The task, blocking: one request holds the thread, and everybody else waits for it.

Its deadline is one that requests can keep. A backend that sends its header in drops, and never
ends it, holds the thread for ever, see `strict_requests.within`; the other styles give it up.
"""

from __future__ import annotations

import sys
import time

from tornado.web import Application

from . import bobs_big_data
from .task import THINGS, TaskHandler, main, task_app


class ResourceHandler(TaskHandler):
    """Answer with three things about a user, and hold the loop meanwhile."""

    def get(self) -> None:
        """Ask one after another."""
        time.sleep(self.delay)
        answers = bobs_big_data.ask_all(self.backend, THINGS, self.user_id, self.deadline)
        self.write({"user": self.user_id, **answers})


def make_app(backend: str, delay: float = 0.0, deadline: float = 2.0) -> Application:
    """Make the application, see `task.task_app`."""
    return task_app(ResourceHandler, backend, delay, deadline)


if __name__ == "__main__":
    sys.exit(main(make_app))
