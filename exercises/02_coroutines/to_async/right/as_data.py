from tornado import gen
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await gen.sleep(0.6)
        url = f"{self.settings['backend']}/profile?user=ada"
        client = AsyncHTTPClient()
        r = await client.fetch(url)
        self.write(json_decode(r.body))
