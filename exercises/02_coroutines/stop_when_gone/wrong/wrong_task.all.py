import asyncio

from tornado.web import RequestHandler


class Search(RequestHandler):
    """Answer which pages of the archive hold a word; stop when the visitor leaves."""

    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        word = self.get_argument("word")
        found = []
        try:
            for number in range(self.archive.pages):
                if word in await self.archive.page(number):
                    found.append(number)
        finally:
            self.archive.close()
        self.write({"found": found})

    def on_connection_close(self):
        for task in asyncio.all_tasks():
            task.cancel()
