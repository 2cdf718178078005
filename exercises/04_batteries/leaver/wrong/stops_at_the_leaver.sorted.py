from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)

    def on_message(self, text):
        try:
            for person in sorted(self.people, key=id, reverse=True):
                person.write_message(text)
        except WebSocketClosedError:
            pass

    def on_close(self):
        self.people.discard(self)
