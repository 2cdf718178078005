import asyncio

from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)

    def on_message(self, text):
        for person in list(self.people):
            asyncio.create_task(tell(person, text))

    def close_room(self):
        self.people.discard(self)


async def tell(person, text):
    try:
        await person.write_message(text)
    except WebSocketClosedError:
        pass
