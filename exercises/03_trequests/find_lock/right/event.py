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
        while user in self.coming:
            wait(self.coming[user].wait())
        if user in self.known:
            return self.known[user]
        self.coming[user] = asyncio.Event()
        try:
            self.known[user] = bobs_big_data.ask(url, "profile", user, 5)
        finally:
            self.coming.pop(user).set()
        return self.known[user]
