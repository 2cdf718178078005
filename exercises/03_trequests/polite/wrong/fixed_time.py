import asyncio
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        future = IOLoop.current().run_in_executor(
            None, bobs_big_data.ask, url, "profile", user, 5
        )
        await asyncio.sleep(1)
        self.write({"profile": future.result()})
