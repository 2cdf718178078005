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
        if user in self.known:
            return self.known[user]
        if user in self.coming:
            try:
                return wait(asyncio.wait_for(asyncio.shield(self.coming[user]), 1))
            except TimeoutError:
                return bobs_big_data.ask(url, "profile", user, 5)
        self.coming[user] = asyncio.Future()
        try:
            self.known[user] = bobs_big_data.ask(url, "profile", user, 5)
            self.coming[user].set_result(self.known[user])
        finally:
            del self.coming[user]
        return self.known[user]
