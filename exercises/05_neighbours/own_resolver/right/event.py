import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.questions = {}

    async def question(self, host, box):
        try:
            box["addresses"], seconds = await self.ask(host)
            box["until"] = asyncio.get_running_loop().time() + seconds
        except OSError as error:
            box["error"] = error
            del self.questions[host]
        finally:
            box["event"].set()

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        box = self.questions.get(host)
        if box and box["event"].is_set() and box["until"] <= asyncio.get_running_loop().time():
            box = None
        if box is None:
            box = self.questions[host] = {"event": asyncio.Event()}
            box["task"] = asyncio.create_task(self.question(host, box))
        await box["event"].wait()
        if "error" in box:
            raise box["error"]
        addresses = box["addresses"]
        return [(socket.AF_INET, (address, port)) for address in addresses]
