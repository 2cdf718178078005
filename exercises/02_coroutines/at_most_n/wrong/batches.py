from tornado import gen


async def ask_all(client, urls, n):
    bodies = []
    for start in range(0, len(urls), n):
        responses = await gen.multi([client.fetch(url) for url in urls[start : start + n]])
        bodies += [response.body for response in responses]
    return bodies
