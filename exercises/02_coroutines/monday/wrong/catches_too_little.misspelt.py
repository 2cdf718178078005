import asyncio
from tornado.httpclient import HTTPError


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def ask(url):
        async with tokens:
            try:
                await client.fetch(url)
            except (HTTPError, ConnectionRefusedError) as error:
                return (url, str(error))
            return (url, "ok")

    return await asyncio.gather(*[ask(url) for url in urls])
