import asyncio
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        return asyncio.ensure_future(self.work())

    async def work(self):
        done, _ = await asyncio.wait([self.news], timeout=self.deadline)
        self.write(self.news.result() if done else "too late")
