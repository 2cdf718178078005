import requests
from trequests import setup_session

session = requests.Session()


def make_session(host):
    setup_session(session, host + "/")
    return session
