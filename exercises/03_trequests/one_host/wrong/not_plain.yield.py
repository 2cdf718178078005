import requests

from trequests import setup_session


def make_session(host):
    session = requests.Session()
    with setup_session(session, host + "/"):
        yield session
