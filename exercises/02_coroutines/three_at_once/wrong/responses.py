from tornado import gen


async def ask_all(client, urls):
    return await gen.multi([client.fetch(url) for url in urls])
