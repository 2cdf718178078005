from concurrent.futures import ThreadPoolExecutor
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        pool = ThreadPoolExecutor(3)
        answer = await IOLoop.current().run_in_executor(
            pool, bobs_big_data.ask, url, "profile", user, 5
        )
        self.write({"profile": answer})
