from tornado.web import RequestHandler
from stormy_demo import bobs_big_data
from tornalet import run
from trequests import setup_session

setup_session()


class Profile(RequestHandler):
    async def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = await run(bobs_big_data.ask(url, "profile", user, 5))
        self.write({"profile": answer})
