import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)
    words = {}

    async def ask(url):
        async with tokens:
            try:
                await client.fetch(url)
                words[url] = "ok"
            except Exception as error:
                words[url] = str(error)

    tasks = [asyncio.create_task(ask(url)) for url in urls]
    await asyncio.sleep(2)
    return [(url, words.get(url, "no answer")) for url in urls]
