import asyncio


async def report(client, urls):
    words = {}

    async def share(mine):
        for url in mine:
            try:
                await client.fetch(url)
                words[url] = "ok"
            except Exception as error:
                words[url] = str(error)

    await asyncio.gather(*[share(urls[n::10]) for n in range(10)])
    return [(url, words[url]) for url in urls]
