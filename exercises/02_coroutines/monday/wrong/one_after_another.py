async def report(client, urls):
    table = []
    for url in urls:
        try:
            await client.fetch(url)
            table.append((url, "ok"))
        except Exception as error:
            table.append((url, str(error)))
    return table
