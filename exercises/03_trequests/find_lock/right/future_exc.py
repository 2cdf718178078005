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
            return wait(self.coming[user])
        coming = self.coming[user] = asyncio.Future()
        try:
            self.known[user] = bobs_big_data.ask(url, "profile", user, 5)
        except Exception as error:
            coming.set_exception(error)
            coming.exception()
            raise
        else:
            coming.set_result(self.known[user])
        finally:
            del self.coming[user]
        return self.known[user]
