import asyncio

from stormy_demo import bobs_big_data
from tornalet import wait


class Profiles:
    """What Bob says of each user. He is asked once for each of them."""

    def __init__(self):
        self.known = {}
        self.lock = asyncio.Lock()

    def get(self, url, user):
        """Return the profile of a user; called underneath `@tornalet`."""
        wait(self.lock.acquire())
        try:
            if user not in self.known:
                self.known[user] = bobs_big_data.ask(url, "profile", user, 2)
            return self.known[user]
        finally:
            self.lock.release()
