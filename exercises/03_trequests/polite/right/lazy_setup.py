from tornalet import tornalet
from trequests import setup_session
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    is_set_up = False

    def prepare(self):
        if not Profile.is_set_up:
            Profile.is_set_up = True
            setup_session()

    @tornalet
    def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = bobs_big_data.ask(url, "profile", user, 5)
        self.write({"profile": answer})
