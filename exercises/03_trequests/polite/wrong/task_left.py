import asyncio
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        asyncio.create_task(self.work())

    async def work(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = await asyncio.to_thread(bobs_big_data.ask, url, "profile", user, 5)
        self.write({"profile": answer})
