import requests

from trequests import setup_session


async def make_session(host):
    session = requests.Session()
    setup_session(session, host + "/")
    return session
