import asyncio

from tornado.httpclient import HTTPError


async def report(client, urls):
    tokens = asyncio.Semaphore(10)
    words = {}

    async def ask(url):
        async with tokens:
            try:
                await client.fetch(url)
            except (OSError, HTTPError, ValueError) as error:
                words[url] = str(error)
            else:
                words[url] = "ok"

    async with asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(ask(url))
    return [[url, words[url]] for url in urls]
