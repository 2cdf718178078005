from concurrent.futures import ThreadPoolExecutor
from tornado.concurrent import run_on_executor
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    executor = ThreadPoolExecutor(8)

    @run_on_executor
    def ask(self, url, user):
        return bobs_big_data.ask(url, "profile", user, 5)

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        self.write({"profile": await self.ask(url, user)})
