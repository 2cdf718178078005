import time

from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        Late.done = Future()
        Late.alarm = IOLoop.current().call_later(self.deadline, self.on_deadline)
        IOLoop.current().add_future(self.news, self.on_news)
        return Late.done

    def on_news(self, full):
        if Late.done.done():
            return
        IOLoop.current().remove_timeout(Late.alarm)
        self.write(full.result())
        Late.done.set_result(None)

    def on_deadline(self):
        if not Late.done.done():
            self.write("too late")
            Late.done.set_result(None)
