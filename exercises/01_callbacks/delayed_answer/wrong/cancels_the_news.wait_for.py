import asyncio

from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    async def get(self):
        try:
            self.write(await asyncio.wait_for(self.news, self.deadline))
        except asyncio.TimeoutError:
            self.write("too late")
