async def ask_all(client, urls):
    responses = await [client.fetch(url) for url in urls]
    return [response.body for response in responses]
