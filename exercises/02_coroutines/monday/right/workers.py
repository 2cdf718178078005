import asyncio


async def report(client, urls):
    table = [None] * len(urls)
    places = iter(range(len(urls)))

    async def worker():
        for place in places:
            url = urls[place]
            try:
                await client.fetch(url)
                table[place] = (url, "ok")
            except Exception as error:
                table[place] = (url, str(error))

    await asyncio.gather(*[worker() for _ in range(10)])
    return table
