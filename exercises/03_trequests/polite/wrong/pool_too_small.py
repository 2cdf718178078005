from concurrent.futures import ThreadPoolExecutor

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from stormy_demo import bobs_big_data

pool = ThreadPoolExecutor(2)


class Profile(RequestHandler):
    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = await IOLoop.current().run_in_executor(
            pool, bobs_big_data.ask, url, "profile", user, 5
        )
        self.write({"profile": answer})
