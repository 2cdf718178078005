import asyncio

from tornado.web import RequestHandler


class Search(RequestHandler):
    """Answer which pages of the archive hold a word; stop when the visitor leaves."""

    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        self.task = asyncio.current_task()
        try:
            word = self.get_argument("word")
            found = []
            for number in range(self.archive.pages):
                if word in await self.archive.page(number):
                    found.append(number)
            self.write({"found": found})
        finally:
            self.archive.close()

    def on_connection_close(self):
        self.task.cancel
