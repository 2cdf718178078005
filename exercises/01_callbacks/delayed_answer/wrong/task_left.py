import asyncio
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    async def get(self):
        asyncio.create_task(self.work())

    async def work(self):
        done, _ = await asyncio.wait([self.news], timeout=self.deadline)
        self.write(self.news.result() if done else "too late")
