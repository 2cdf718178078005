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
            pages = await asyncio.gather(
                *[self.archive.page(n) for n in range(self.archive.pages)]
            )
            self.write({"found": [n for n, page in enumerate(pages) if word in page]})
        finally:
            self.archive.close()

    def on_connection_close(self):
        self.task.cancel()
