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
        self.end = time.time() + self.deadline
        self.poll()
        return self.done

    def poll(self):
        if self.news.done():
            self.write(self.news.result())
            self.done.set_result(None)
        elif time.time() > self.end:
            self.write("too late")
            self.done.set_result(None)
        else:
            IOLoop.current().call_later(0.01, self.poll)
