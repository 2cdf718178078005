import requests
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data
from tornalet import tornalet
from trequests import setup_session

setup_session(requests.Session())


class Profile(RequestHandler):
    @tornalet
    def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = bobs_big_data.ask(url, "profile", user, 5)
        self.write({"profile": answer})
