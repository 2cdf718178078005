from tornado import gen
from tornado.httpclient import AsyncHTTPClient


async def ask_all(client, urls, n):
    client = AsyncHTTPClient(force_instance=True, max_clients=n)
    responses = await gen.multi([client.fetch(url) for url in urls])
    return [response.body for response in responses]
