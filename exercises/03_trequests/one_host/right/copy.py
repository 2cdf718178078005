import requests

from trequests import setup_session


sessions = {}


def make_session(host):
    if host not in sessions:
        sessions[host] = requests.Session()
        setup_session(sessions[host], host + "/")
    return sessions[host]
