import asyncio

import requests
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data
from tornalet import tornalet, wait


class Polite:
    """What Bob needs of requests."""

    @staticmethod
    def get(url, params, timeout):
        return wait(asyncio.to_thread(requests.get, url, params=params, timeout=timeout))


bobs_big_data.requests = Polite


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    @tornalet
    def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = bobs_big_data.ask(url, "profile", user, 5)
        self.write({"profile": answer})
