import asyncio
import time

from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        self.done = asyncio.get_running_loop().create_future()
        self.alarm = asyncio.get_running_loop().call_later(self.deadline, self.on_deadline)
        self.news.add_done_callback(self.on_news)
        return self.done

    def on_news(self, full):
        if self.done.done():
            return
        self.alarm.cancel()
        self.write(full.result())
        self.done.set_result(None)

    def on_deadline(self):
        if not self.done.done():
            self.write("too late")
            self.done.set_result(None)
