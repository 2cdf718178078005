import asyncio

from tornado.httpclient import HTTPError


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def row(url):
        async with tokens:
            try:
                await client.fetch(url)
            except HTTPError as error:
                return url, str(error)
            return url, "ok"

    tasks = [asyncio.create_task(client.fetch(url)) for url in urls]
    return await asyncio.gather(*tasks, return_exceptions=True)
