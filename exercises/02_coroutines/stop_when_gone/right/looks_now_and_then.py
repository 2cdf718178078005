import asyncio

from tornado.web import RequestHandler


class Search(RequestHandler):
    """Answer which pages of the archive hold a word; stop when the visitor leaves."""

    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        self.gone = False
        search = asyncio.create_task(self.search())
        try:
            while not search.done() and not self.gone:
                await asyncio.sleep(0.05)
            if not self.gone:
                self.write({"found": search.result()})
        finally:
            search.cancel()
            self.archive.close()

    async def search(self):
        word = self.get_argument("word")
        return [n for n in range(self.archive.pages) if word in await self.archive.page(n)]

    def on_connection_close(self):
        self.gone = True
