import asyncio
import threading
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        loop, done = asyncio.get_running_loop(), asyncio.Future()

        def work():
            answer = bobs_big_data.ask(url, "profile", user, 5)
            loop.call_soon_threadsafe(done.set_result, answer)

        threading.Thread(target=work, daemon=True).start()
        self.write({"profile": await done})
