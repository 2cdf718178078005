import requests

from trequests import TornadoAdapter


class OneHost(requests.Session):
    def __init__(self, host):
        super().__init__()
        self.host = host + "/"
        self.polite = TornadoAdapter()

    def get_adapter(self, url):
        if url.startswith(self.host):
            return self.polite
        return super().get_adapter(url)


def make_session(host):
    return OneHost(host)
