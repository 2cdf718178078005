from tornado import gen


async def ask_all(client, urls, n):
    bodies = {}

    async def ask_share(share):
        for url in share:
            bodies[url] = (await client.fetch(url)).body

    await gen.multi([ask_share(urls[first::n]) for first in range(n)])
    return [bodies[url] for url in urls]
