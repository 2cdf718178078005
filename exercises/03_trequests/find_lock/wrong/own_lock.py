import asyncio

from stormy_demo import bobs_big_data
from tornalet import wait


class Profiles:
    def __init__(self):
        self.known = {}

    def get(self, url, user):
        lock = asyncio.Lock()
        wait(lock.acquire())
        try:
            if user not in self.known:
                self.known[user] = bobs_big_data.ask(url, "profile", user, 5)
            return self.known[user]
        finally:
            lock.release()
