from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = IOLoop.current().run_in_executor(
            None, bobs_big_data.ask, url, "profile", user, 5
        )
        self.write({"profile": answer.result()})
