import asyncio


async def report(client, urls):
    under_way = 0

    async def row(url):
        nonlocal under_way
        while under_way >= 10:
            await asyncio.sleep(0)
        under_way += 1
        try:
            await client.fetch(url)
            return url, "ok"
        except Exception as error:
            return url, str(error)
        finally:
            under_way -= 1

    return await asyncio.gather(*[row(url) for url in urls])
