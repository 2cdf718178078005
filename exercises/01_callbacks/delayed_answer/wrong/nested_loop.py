import time

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        async def wait():
            return await self.news

        self.write(IOLoop.current().run_sync(wait, timeout=self.deadline))
