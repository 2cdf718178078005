import asyncio

from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)

    async def on_message(self, text):
        await asyncio.gather(*[tell(person, text) for person in self.people])

    def on_close(self):
        self.people.discard(self)


async def tell(person, text):
    try:
        await person.write_message(text)
    except WebSocketClosedError:
        pass
