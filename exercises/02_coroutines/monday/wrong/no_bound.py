import asyncio


async def report(client, urls):

    async def row(url):
        try:
            await client.fetch(url)
        except Exception as error:
            return url, str(error)
        return url, "ok"

    return await asyncio.gather(*[row(url) for url in urls])
