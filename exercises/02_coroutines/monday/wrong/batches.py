import asyncio


async def row(client, url):
    try:
        await client.fetch(url)
    except Exception as error:
        return url, str(error)
    return url, "ok"


async def report(client, urls):
    table = []
    for start in range(0, len(urls), 10):
        batch = urls[start : start + 10]
        table += await asyncio.gather(*[row(client, url) for url in batch])
    return table
