import time

from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    news_seen = []

    def get(self):
        self.done = Future()
        IOLoop.current().add_future(self.news, self.on_news)
        IOLoop.current().call_later(self.deadline, self.on_deadline)
        return self.done

    def on_news(self, full):
        Late.news_seen.append(full.result())
        self.write(Late.news_seen[0])
        self.done.set_result(None)

    def on_deadline(self):
        if not self.done.done():
            self.write("too late")
            self.done.set_result(None)
