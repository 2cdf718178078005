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
        IOLoop.current().call_later(self.deadline, self.on_deadline)
        return self.done

    def on_news(self, news):
        self.answer(news.result())

    def on_deadline(self):
        self.answer("too late")

    def answer(self, text):
        if not self.done.done():
            self.write(text)
            self.done.set_result(None)
