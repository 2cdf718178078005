import asyncio, functools
from tornado.web import RequestHandler
from stormy_demo import bobs_big_data


@functools.lru_cache
def ask(url, user):
    return bobs_big_data.ask(url, "profile", user, 5)


class Profile(RequestHandler):
    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        self.write({"profile": await asyncio.to_thread(ask, url, user)})
