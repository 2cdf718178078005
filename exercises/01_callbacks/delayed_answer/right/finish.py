from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        self.done = Future()
        loop = IOLoop.current()
        self.alarm = loop.add_timeout(loop.time() + self.deadline, self.on_deadline)
        self.news.add_done_callback(self.on_news)
        return self.done

    def on_news(self, news):
        if self._finished:
            return
        IOLoop.current().remove_timeout(self.alarm)
        self.finish(self.news.result())
        self.done.set_result(None)

    def on_deadline(self):
        self.finish("too late")
        self.done.set_result(None)
