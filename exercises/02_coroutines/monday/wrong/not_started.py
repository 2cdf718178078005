async def row(client, url):
    try:
        await client.fetch(url)
    except Exception as error:
        return url, str(error)
    return url, "ok"


async def report(client, urls):
    rows = [row(client, url) for url in urls]
    return [await each for each in rows]
