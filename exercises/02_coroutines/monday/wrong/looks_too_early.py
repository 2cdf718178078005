import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def row(url):
        async with tokens:
            try:
                await client.fetch(url)
            except Exception as error:
                return url, str(error)
            return url, "ok"

    tasks = [asyncio.create_task(row(url)) for url in urls]
    return [task.result() for task in tasks]
