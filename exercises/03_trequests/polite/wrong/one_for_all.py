from tornalet import tornalet
from trequests import setup_session
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data

setup_session()


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    @tornalet
    def get(self):
        url = self.settings["backend"]
        answer = bobs_big_data.ask(url, "profile", "ada", 5)
        self.write({"profile": answer})
