async def ask_all(client, urls):
    fs = [client.fetch(u) for u in urls]
    bodies = []
    for f in fs:
        bodies.append((await f).body)
    return bodies
