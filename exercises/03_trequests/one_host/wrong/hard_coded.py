import requests

from trequests import setup_session


def make_session(host):
    session = requests.Session()
    setup_session(session, "http://127.0.0.1:4012/")
    return session
