import asyncio
import time

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.to_thread(time.sleep, 0.3)
        response = await AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
        self.write(response.body)
