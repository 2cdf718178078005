import asyncio

from tornado.web import RequestHandler


class Search(RequestHandler):
    def initialize(self, archive):
        self.archive = archive

    async def get(self):
        try:
            word = self.get_argument("word")
            found = []
            for number in range(self.archive.pages):
                if self.gone:
                    return
                try:
                    page = await asyncio.wait_for(self.archive.page(number), 1)
                except TimeoutError:
                    continue
                if word in page:
                    found.append(number)
            self.write({"found": found})
        finally:
            self.archive.close()

    gone = False

    def on_connection_close(self):
        self.gone = True
