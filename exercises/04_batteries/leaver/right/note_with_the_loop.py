from contextlib import suppress

from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)

    def on_message(self, text):
        for person in self.people:
            IOLoop.current().add_callback(self.tell, person, text)

    @staticmethod
    async def tell(person, text):
        with suppress(WebSocketClosedError):
            await person.write_message(text)

    def on_close(self):
        self.people.discard(self)
