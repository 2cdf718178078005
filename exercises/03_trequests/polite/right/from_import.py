from tornado.web import RequestHandler

from stormy_demo.bobs_big_data import ask
from tornalet import tornalet
from trequests import setup_session

setup_session(engine="simple")


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    @tornalet
    def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = ask(url, "profile", user, 5)
        self.write({"profile": answer})
