import asyncio

from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        self.write({"profile": "Ada Lovelace"})
