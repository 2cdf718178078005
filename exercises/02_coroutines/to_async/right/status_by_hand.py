import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        response = await AsyncHTTPClient().fetch(
            self.settings["backend"] + "/profile?user=ada", raise_error=False
        )
        self.set_status(response.code)
        self.write(response.body)
