import asyncio

from tornado.web import RequestHandler


class Search(RequestHandler):
    """Answer which pages of the archive hold a word; stop when the visitor leaves."""

    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        self.task = asyncio.create_task(self.search())
        self.write({"found": await self.task})

    async def search(self):
        word = self.get_argument("word")
        try:
            return [n for n in range(self.archive.pages) if word in await self.archive.page(n)]
        finally:
            self.archive.close()

    def on_connection_close(self):
        self.task.cancel()
