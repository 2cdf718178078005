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
        IOLoop.current().call_later(self.deadline, self.on_deadline)
        self.done.set_result(None)
        return self.done

    def on_news(self, full):
        self.write(full.result())

    def on_deadline(self):
        self.write("too late")
