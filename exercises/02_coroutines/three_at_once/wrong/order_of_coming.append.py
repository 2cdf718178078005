import asyncio


async def ask_all(client, urls):
    bodies = []

    async def ask(url):
        response = await client.fetch(url)
        bodies.append(response.body)

    async with asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(ask(url))
    return bodies
