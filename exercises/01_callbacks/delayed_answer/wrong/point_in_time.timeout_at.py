import asyncio
import time

from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    async def get(self):
        try:
            async with asyncio.timeout_at(self.deadline):
                await asyncio.shield(self.news)
            self.write(self.news.result())
        except TimeoutError:
            self.write("too late")
