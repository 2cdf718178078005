import requests

from trequests import setup_session


class OneHost(requests.Session):
    """Hold a second, polite session for one host."""

    def __init__(self, host):
        super().__init__()
        self.host = host + "/"
        self.inner = requests.Session()
        setup_session(self.inner)

    def get_adapter(self, url):
        if url.startswith(self.host):
            return self.inner.get_adapter(url)
        return super().get_adapter(url)


def make_session(host):
    return OneHost(host)
