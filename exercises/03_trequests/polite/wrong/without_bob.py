import json

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = await AsyncHTTPClient().fetch(f"{url}/profile?user={user}")
        self.write(answer.body)
        self.set_header("Content-Type", "application/json")
