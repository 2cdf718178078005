import asyncio

from tornado.web import RequestHandler


class Search(RequestHandler):
    """Answer which pages of the archive hold a word; stop when the visitor leaves."""

    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        self.task = asyncio.create_task(self.search())
        try:
            self.write({"found": await self.task})
        except asyncio.CancelledError:
            pass
        finally:
            self.archive.close()

    async def search(self):
        word = self.get_argument("word")
        return [n for n in range(self.archive.pages) if word in await self.archive.page(n)]

    def on_connection_close(self):
        self.task.cancel()
