async def ask_all(client, urls):
    return [client.fetch(url) for url in urls]
