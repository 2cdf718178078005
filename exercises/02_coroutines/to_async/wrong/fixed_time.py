import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        future = AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
        await asyncio.sleep(1)
        self.write(future.result().body)
