import asyncio

from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)
        self.waiting = asyncio.Queue()
        self.task = asyncio.create_task(self.send())

    async def send(self):
        try:
            while True:
                await self.write_message(await self.waiting.get())
        except WebSocketClosedError:
            pass

    def on_message(self, text):
        for person in self.people:
            person.waiting.put_nowait(text)

    def on_close(self):
        self.people.discard(self)
        self.task.cancel()
