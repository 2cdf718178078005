import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        yield asyncio.sleep(0.6)
        response = yield AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
        self.write(response.body)
