async def ask_all(client, urls):
    return [client.fetch(url).body for url in urls]
