from tornado import gen


async def ask_all(client, urls):
    bodies = []
    for start in range(0, len(urls), 3):
        responses = await gen.multi([client.fetch(url) for url in urls[start : start + 3]])
        bodies += [response.body for response in responses]
    return bodies
