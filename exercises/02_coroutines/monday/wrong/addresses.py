import asyncio


async def report(client, urls):
    found = await asyncio.gather(*urls, return_exceptions=True)
    return [(url, str(each)) for url, each in zip(urls, found)]
