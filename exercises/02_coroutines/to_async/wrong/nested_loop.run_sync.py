import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        response = IOLoop.current().run_sync(self.ask)
        self.write(response.body)

    async def ask(self):
        await asyncio.sleep(0.6)
        return await AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
