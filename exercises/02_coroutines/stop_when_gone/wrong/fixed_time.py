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
            tasks = [
                asyncio.create_task(self.archive.page(n)) for n in range(self.archive.pages)
            ]
            await asyncio.sleep(1)
            self.write({"found": [n for n, t in enumerate(tasks) if word in t.result()]})
        finally:
            for t in tasks:
                t.cancel()
            self.archive.close()

    def on_connection_close(self):
        self.task.cancel()
