import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        url = self.settings["backend"] + "/profile?user=ada"
        _, response = await asyncio.gather(asyncio.sleep(0.6), AsyncHTTPClient().fetch(url))
        self.write(response.body)
