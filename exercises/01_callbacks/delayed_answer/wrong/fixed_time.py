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
        IOLoop.current().call_later(1, self.look)
        return self.done

    def look(self):
        if self.news.done():
            self.write(self.news.result())
        else:
            self.write("too late")
        self.done.set_result(None)
