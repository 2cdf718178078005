from tornado.concurrent import Future
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Profile(RequestHandler):
    def get(self):
        self.done = Future()
        IOLoop.current().call_later(0.6, self.ask)
        return self.done

    def ask(self):
        response = AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
        IOLoop.current().add_future(response, self.on_answer)

    def on_answer(self, response):
        self.write(response.result().body)
        self.done.set_result(None)
