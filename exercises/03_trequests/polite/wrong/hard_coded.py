from tornalet import tornalet
from trequests import setup_session
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data

setup_session()


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    @tornalet
    def get(self):
        user = self.get_argument("user")
        answer = bobs_big_data.ask("http://127.0.0.1:8889", "profile", user, 5)
        self.write({"profile": answer})
