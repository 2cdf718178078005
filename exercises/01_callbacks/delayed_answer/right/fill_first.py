import asyncio
import time

from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        self.done = Future()
        IOLoop.current().call_later(self.deadline, self.on_deadline)
        IOLoop.current().add_future(self.news, self.on_news)
        return self.done

    def on_news(self, full):
        self.answer(full.result())

    def on_deadline(self):
        self.answer("too late")

    def answer(self, text):
        try:
            self.done.set_result(None)
        except asyncio.InvalidStateError:
            return
        self.write(text)
