async def ask_all(client, urls):
    bodies = []
    for url in urls:
        response = await client.fetch(url)
        bodies.append(response.body)
    return bodies
