from tornado.web import RequestHandler

from stormy_demo import bobs_big_data
from tornalet import tornalet
from trequests import setup_session

setup_session()


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    @tornalet
    def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = bobs_big_data.ask(url, "profile", user, 2)
        self.write({"profile": answer})
