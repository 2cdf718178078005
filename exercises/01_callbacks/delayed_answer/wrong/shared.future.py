from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Late(RequestHandler):
    done = Future()

    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        self.alarm = IOLoop.current().call_later(self.deadline, self.on_deadline)
        IOLoop.current().add_future(self.news, self.on_news)
        return self.done

    def on_news(self, full):
        if self.done.done():
            return
        IOLoop.current().remove_timeout(self.alarm)
        self.write(full.result())
        self.done.set_result(None)

    def on_deadline(self):
        self.write("too late")
        self.done.set_result(None)
