import time

from tornado.concurrent import Future
from tornado.web import RequestHandler


class Late(RequestHandler):
    def initialize(self, news, deadline):
        self.news = news
        self.deadline = deadline

    def get(self):
        import threading

        self.done = Future()

        def wait():
            end = time.time() + self.deadline
            while not self.news.done() and time.time() < end:
                time.sleep(0.01)
            self.write(self.news.result() if self.news.done() else "too late")
            self.done.set_result(None)

        threading.Thread(target=wait, daemon=True).start()
        return self.done
