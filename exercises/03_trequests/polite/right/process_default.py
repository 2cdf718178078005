import asyncio
from concurrent.futures import ProcessPoolExecutor
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data

pool = ProcessPoolExecutor()


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = await asyncio.get_running_loop().run_in_executor(
            pool, bobs_big_data.ask, url, "profile", user, 5
        )
        self.write({"profile": answer})
