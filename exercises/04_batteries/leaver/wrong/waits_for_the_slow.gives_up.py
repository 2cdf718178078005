import asyncio

from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)

    async def on_message(self, text):
        for person in list(self.people):
            try:
                await asyncio.wait_for(person.write_message(text), 1)
            except TimeoutError:
                person.close(1013)
                self.people.discard(person)
            except WebSocketClosedError:
                self.people.discard(person)

    def on_close(self):
        self.people.discard(self)
