import asyncio
from tornado.web import RequestHandler


class Search(RequestHandler):
    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        self.task = asyncio.current_task()
        word = self.get_argument("word")
        found = []
        try:
            for number in range(self.archive.pages):
                if word in await self.archive.page(number):
                    found.append(number)
        except Exception:
            self.archive.close()
            raise
        self.archive.close()
        self.write({"found": found})

    def on_connection_close(self):
        self.task.cancel()
        self.archive.close()
