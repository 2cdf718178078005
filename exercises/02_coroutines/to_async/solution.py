import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    """Wait a little, ask the backend about Ada, and answer what it says."""

    async def get(self):
        await asyncio.sleep(0.6)
        response = await AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
        self.write(response.body)
