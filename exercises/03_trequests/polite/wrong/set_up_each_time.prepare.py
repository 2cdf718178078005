from tornado.web import RequestHandler

from stormy_demo import bobs_big_data
from tornalet import tornalet
from trequests import setup_session


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    def initialize(self):
        self.undo = setup_session(mounts=self.settings["backend"])

    def on_finish(self):
        self.undo.close()

    @tornalet
    def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = bobs_big_data.ask(url, "profile", user, 5)
        self.write({"profile": answer})
