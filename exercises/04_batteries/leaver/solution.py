import asyncio
from contextlib import suppress

from tornado.websocket import WebSocketClosedError, WebSocketHandler

tasks = set()


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)

    async def on_message(self, text):
        for person in list(self.people):
            task = asyncio.create_task(person.tell(text))
            # A task that nobody holds may be gone before it is done.
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def tell(self, text):
        with suppress(WebSocketClosedError):
            await self.write_message(text)

    def on_close(self):
        self.people.discard(self)
