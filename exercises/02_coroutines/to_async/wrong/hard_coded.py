import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        response = await AsyncHTTPClient().fetch("http://127.0.0.1:8889/profile?user=ada")
        self.write(response.body)
