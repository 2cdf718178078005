import asyncio

from stormy_demo import bobs_big_data
from tornalet import wait


class Profiles:
    """What Bob says of each user. He is asked once for each of them."""

    def __init__(self):
        self.known = {}

    def get(self, url, user):
        """Return the profile of a user; called underneath `@tornalet`."""
        if user not in self.known:
            self.known[user] = asyncio.to_thread(bobs_big_data.ask, url, "profile", user, 5)
        return wait(self.known[user])
