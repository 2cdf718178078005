import asyncio
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    async def get(self):
        asyncio.wait([self.news], timeout=self.deadline)
        self.write(self.news.result() if self.news.done() else "too late")
