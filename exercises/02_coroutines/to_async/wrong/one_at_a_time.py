import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    lock = asyncio.Lock()

    async def get(self):
        async with self.lock:
            await asyncio.sleep(0.6)
            url = self.settings["backend"] + "/profile?user=ada"
            response = await AsyncHTTPClient().fetch(url)
            self.write(response.body)
