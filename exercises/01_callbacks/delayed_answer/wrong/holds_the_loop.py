import time

from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        end = time.monotonic() + self.deadline
        while not self.news.done() and time.monotonic() < end:
            time.sleep(0.05)
        self.write(self.news.result() if self.news.done() else "too late")
