from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = await AsyncHTTPClient().fetch(f"{url}/profile?user={user}")
        self.write({"profile": json_decode(answer.body)})
