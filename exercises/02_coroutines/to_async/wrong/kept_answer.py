import asyncio

from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Profile(RequestHandler):
    response = None

    async def get(self):
        await asyncio.sleep(0.6)
        if Profile.response is None:
            Profile.response = await AsyncHTTPClient().fetch(
                self.settings["backend"] + "/profile?user=ada"
            )
        self.write(Profile.response.body)
