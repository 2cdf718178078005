from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await IOLoop.current().call_later(0.6, self.ask)

    async def ask(self):
        response = await AsyncHTTPClient().fetch(self.settings["backend"] + "/profile?user=ada")
        self.write(response.body)
