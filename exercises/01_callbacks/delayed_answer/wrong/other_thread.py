import threading
from tornado.ioloop import IOLoop
from tornado.concurrent import Future
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        self.done = Future()
        IOLoop.current().add_future(self.news, self.on_news)
        self.alarm = threading.Timer(self.deadline, self.on_deadline)
        self.alarm.start()
        return self.done

    def on_news(self, full):
        if self.done.done():
            return
        self.alarm.cancel()
        self.write(full.result())
        self.done.set_result(None)

    def on_deadline(self):
        self.write("too late")
        self.done.set_result(None)
