import asyncio

from tornado.web import RequestHandler


class Search(RequestHandler):
    """Answer which pages of the archive hold a word; stop when the visitor leaves."""

    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        self.gone = asyncio.Event()
        gone = asyncio.create_task(self.gone.wait())
        search = asyncio.create_task(self.search())
        try:
            await asyncio.wait([gone, search], return_when=asyncio.FIRST_COMPLETED)
            if not self.gone.is_set():
                self.write({"found": search.result()})
        finally:
            gone.cancel()
            search.cancel()
            self.archive.close()

    async def search(self):
        word = self.get_argument("word")
        return [n for n in range(self.archive.pages) if word in await self.archive.page(n)]

    def on_connection_close(self):
        self.gone.set()
