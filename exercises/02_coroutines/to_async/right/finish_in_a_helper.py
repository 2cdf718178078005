import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        self.finish(await self.ask())

    async def ask(self):
        return (
            await AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
        ).body
