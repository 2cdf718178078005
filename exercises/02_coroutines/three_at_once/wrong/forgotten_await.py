async def ask(client, url):
    return await client.fetch(url)


async def ask_all(client, urls):
    responses = [ask(client, url) for url in urls]
    return [response.body for response in responses]
