import asyncio
from tornalet import run
from trequests import setup_session
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data

setup_session()
lock = asyncio.Lock()


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        async with lock:
            answer = await run(bobs_big_data.ask, url, "profile", user, 5)
        self.write({"profile": answer})
