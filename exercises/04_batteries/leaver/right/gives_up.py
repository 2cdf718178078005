import asyncio

from tornado.websocket import WebSocketClosedError, WebSocketHandler

tasks = set()


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)

    def on_message(self, text):
        for person in list(self.people):
            task = asyncio.create_task(self.tell(person, text))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def tell(self, person, text):
        try:
            await asyncio.wait_for(person.write_message(text), 1)
        except TimeoutError:
            person.close(1013)
            self.people.discard(person)
        except WebSocketClosedError:
            self.people.discard(person)

    def on_close(self):
        self.people.discard(self)
