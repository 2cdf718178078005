import asyncio

from tornado.web import RequestHandler


class Search(RequestHandler):
    """Answer which pages of the archive hold a word; stop when the visitor leaves."""

    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        self.task = asyncio.current_task()
        word = self.get_argument("word")
        found = []
        try:
            for n in range(self.archive.pages):
                if word in await self.archive.page(n):
                    found.append(n)
        except asyncio.CancelledError:
            return
        finally:
            self.archive.close()
        self.write({"found": found})

    def on_connection_close(self):
        self.task.cancel()
