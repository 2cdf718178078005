import requests

from trequests import setup_session


def make_session(host):
    session = requests.Session()
    setup_session(session, host + "//")
    return session
