"""The task, with coroutines: each step waits where it stands, and the thread goes on."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tornado.web import Application

from .task import THINGS, TaskHandler, answer, http_client, main, question, task_app


class ResourceHandler(TaskHandler):
    """Answer with three things about a user, and hold nobody up."""

    async def get(self) -> None:
        """Wait, ask, answer."""
        await asyncio.sleep(self.delay)
        answers = await self.ask_all()
        self.write({"user": self.user_id, **answers})

    async def ask_all(self) -> dict[str, Any]:
        """Ask all three at once; one failure is enough to fail."""
        answers = await asyncio.gather(*[self.ask(thing) for thing in THINGS])
        return dict(zip(THINGS, answers, strict=True))

    async def ask(self, thing: str) -> Any:
        """Ask for one thing, and wait for the answer."""
        url = question(self.backend, thing, self.user_id)
        response = await http_client().fetch(url, request_timeout=self.deadline)
        return answer(response, thing)


def make_app(backend: str, delay: float = 0.0, deadline: float = 2.0) -> Application:
    """Make the application, see `task.task_app`."""
    return task_app(ResourceHandler, backend, delay, deadline)


if __name__ == "__main__":
    sys.exit(main(make_app))
