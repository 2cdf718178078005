from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)

    def on_message(self, text):
        for person in list(self.people):
            person.write_message(text)

    def on_close(self):
        self.people.discard(self)
