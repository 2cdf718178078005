from tornado import gen
from tornado.httpclient import AsyncHTTPClient


async def ask_all(client, urls):
    client = AsyncHTTPClient()
    responses = await gen.multi([client.fetch(url) for url in urls])
    return [response.body for response in responses]
