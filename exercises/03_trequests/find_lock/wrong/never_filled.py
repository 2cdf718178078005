import asyncio

from stormy_demo import bobs_big_data
from tornalet import wait


class Profiles:
    def __init__(self):
        self.known = {}
        self.under_way = {}

    def get(self, url, user):
        if user in self.known:
            return self.known[user]
        if user in self.under_way:
            wait(self.under_way[user].wait())
            return self.known[user]
        self.under_way[user] = asyncio.Event()
        try:
            self.known[user] = bobs_big_data.ask(url, "profile", user, 5)
            self.under_way[user].set()
        finally:
            del self.under_way[user]
        return self.known[user]
