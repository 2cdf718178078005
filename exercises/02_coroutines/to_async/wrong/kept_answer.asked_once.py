import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    asking = None

    async def ask(self):
        await asyncio.sleep(0.6)
        return await AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")

    async def get(self):
        if Profile.asking is None:
            Profile.asking = asyncio.create_task(self.ask())
        response = await Profile.asking
        Profile.asking = None
        self.write(response.body)
