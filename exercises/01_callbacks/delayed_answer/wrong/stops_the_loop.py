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
        IOLoop.current().add_future(self.news, self.on_news)
        IOLoop.current().call_later(self.deadline, IOLoop.current().stop)
        return self.done

    def on_news(self, full):
        self.write(full.result())
        self.done.set_result(None)
