import functools
import threading

from stormy_demo import bobs_big_data


class Profiles:
    """What Bob says of each user. He is asked once for each of them."""

    def __init__(self):
        self.lock = threading.Lock()

    @functools.cache
    def get(self, url, user):
        """Return the profile of a user; called underneath `@tornalet`."""
        with self.lock:
            return bobs_big_data.ask(url, "profile", user, 5)
