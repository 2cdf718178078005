import asyncio
import multiprocessing
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data

pool = multiprocessing.Pool(3)


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        loop, future = asyncio.get_running_loop(), asyncio.Future()
        pool.apply_async(
            bobs_big_data.ask,
            (url, "profile", user, 5),
            callback=lambda answer: loop.call_soon_threadsafe(future.set_result, answer),
            error_callback=lambda error: loop.call_soon_threadsafe(future.set_exception, error),
        )
        self.write({"profile": await future})
