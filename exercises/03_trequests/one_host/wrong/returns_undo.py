import requests

from trequests import setup_session


def make_session(host):
    """Return a session that waits politely for one host.

    For all others it is what requests makes of it.

    Args:
        host: the address of the host, such as "http://127.0.0.1:4012".
    """
    session = requests.Session()
    return setup_session(session, host + "/")
