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
                async with asyncio.timeout(2):
                    page = await self.archive.page(number)
                if word in page:
                    found.append(number)
            self.write({"found": found})
        finally:
            self.archive.close()

    def on_connection_close(self):
        self.task.cancel()
