import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        asyncio.create_task(self.work())

    async def work(self):
        await asyncio.sleep(0.6)
        response = await AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
        self.write(response.body)
