import asyncio

from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)
        self.texts = []
        self.task = asyncio.create_task(self.send())

    async def send(self):
        try:
            while True:
                while self.texts:
                    await self.write_message(self.texts.pop(0))
                await asyncio.sleep(0)
        except WebSocketClosedError:
            pass

    def on_message(self, text):
        for person in self.people:
            person.texts.append(text)

    def on_close(self):
        self.people.discard(self)
        self.task.cancel()
