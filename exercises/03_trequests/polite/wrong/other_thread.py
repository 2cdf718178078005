import asyncio
from tornado.web import RequestHandler
from stormy_demo import bobs_big_data


class Profile(RequestHandler):
    def work(self, url, user):
        self.write({"profile": bobs_big_data.ask(url, "profile", user, 5)})

    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        await asyncio.to_thread(self.work, url, user)
