import asyncio
from concurrent.futures import ThreadPoolExecutor
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data

pool = ThreadPoolExecutor(3)


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        future = pool.submit(bobs_big_data.ask, url, "profile", user, 5)
        while not future.done():
            await asyncio.sleep(0)
        self.write({"profile": future.result()})
