import requests

from trequests import setup_session


def make_session(host):
    return requests.Session()
