from concurrent.futures import ThreadPoolExecutor

from tornado.web import RequestHandler

from stormy_demo import bobs_big_data

pool = ThreadPoolExecutor(10)


class Profile(RequestHandler):
    """Answer with the profile of a user, as Bob knows it."""

    def get(self):
        url, user = self.settings["backend"], self.get_argument("user")
        answer = pool.submit(bobs_big_data.ask, url, "profile", user, 5)
        self.write({"profile": answer.result()})
