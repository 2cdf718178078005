import asyncio

from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        try:
            response = await AsyncHTTPClient().fetch(
                self.settings["backend"] + "/profile?user=ada", request_timeout=2
            )
        except Exception:
            self.send_error(500)
            return
        self.write(response.body)
