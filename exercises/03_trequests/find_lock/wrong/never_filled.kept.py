import asyncio

from stormy_demo import bobs_big_data
from tornalet import wait


class Profiles:
    """What Bob says of each user. He is asked once for each of them."""

    def __init__(self):
        self.known = {}
        self.coming = {}

    def get(self, url, user):
        """Return the profile of a user; called underneath `@tornalet`."""
        if user not in self.coming:
            self.coming[user] = asyncio.Future()
            self.coming[user].set_result(bobs_big_data.ask(url, "profile", user, 5))
        return wait(self.coming[user])
