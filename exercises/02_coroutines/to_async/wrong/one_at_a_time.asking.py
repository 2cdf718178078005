import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

lock = asyncio.Lock()


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        async with lock:
            response = await AsyncHTTPClient().fetch(
                self.settings["backend"] + "/profile?user=ada"
            )
        self.write(response.body)
