import asyncio

import httpx
from tornado.web import RequestHandler


class Profile(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.6)
        async with httpx.AsyncClient() as client:
            response = await client.get(self.settings["backend"] + "/profile?user=ada")
        self.set_status(response.status_code)
        self.write(response.content)
