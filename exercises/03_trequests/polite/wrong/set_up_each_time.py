from tornalet import tornalet
from trequests import setup_session
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    @tornalet
    def get(self):
        setup_session()
        url, user = self.settings["backend"], self.get_argument("user")
        answer = bobs_big_data.ask(url, "profile", user, 5)
        self.write({"profile": answer})
