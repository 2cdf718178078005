import asyncio
import time

from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    async def get(self):
        end = time.time() + self.deadline
        while not self.news.done():
            if time.time() > end:
                self.write("too late")
                return
            await asyncio.sleep(0)
        self.write(self.news.result())
