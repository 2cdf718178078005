import asyncio


async def ask_all(client, urls, n):
    running = set()
    tasks = []
    for url in urls:
        while len(running) >= n:
            await asyncio.sleep(0)
            running = {t for t in running if not t.done()}
        task = client.fetch(url)
        running.add(task)
        tasks.append(task)
    return [(await t).body for t in tasks]
