from tornado import gen


async def ask_all(client, urls):
    responses = await gen.multi([client.fetch(url) for url in urls])
    return [response.body for response in responses]
