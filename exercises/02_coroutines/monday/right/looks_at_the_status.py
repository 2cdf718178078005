import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def row(url):
        await tokens.acquire()
        try:
            response = await client.fetch(url, raise_error=False)
            return url, "ok" if response.code == 200 else str(response.error)
        except Exception as error:
            return url, str(error)
        finally:
            tokens.release()

    return await asyncio.gather(*(row(url) for url in urls))
