import time
from datetime import timedelta

from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    async def get(self):
        from tornado import gen

        try:
            self.write(await gen.with_timeout(timedelta(seconds=self.deadline), self.news))
        except gen.TimeoutError:
            self.write("too late")
