import asyncio

from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        return AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
