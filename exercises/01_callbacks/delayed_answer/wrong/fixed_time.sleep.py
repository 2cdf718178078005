import asyncio
import time

from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    async def get(self):
        await asyncio.sleep(1)
        self.write(self.news.result() if self.news.done() else "too late")
