import asyncio
import urllib.request

from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        with urllib.request.urlopen(self.settings["backend"] + "/profile?user=ada") as response:
            self.write(response.read())
