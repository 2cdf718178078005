import asyncio

from tornado.web import RequestHandler


class Search(RequestHandler):
    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        self.task = asyncio.create_task(self.search())

    async def search(self):
        try:
            word = self.get_argument("word")
            found = []
            for number in range(self.archive.pages):
                if word in await self.archive.page(number):
                    found.append(number)
            self.write({"found": found})
        finally:
            self.archive.close()

    def on_connection_close(self):
        self.task.cancel()
