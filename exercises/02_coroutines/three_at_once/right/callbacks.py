import asyncio


async def ask_all(client, urls):
    done = asyncio.Future()
    found = {}
    futures = [client.fetch(url) for url in urls]

    def came(number, future):
        found[number] = future.result().body
        if len(found) == len(urls):
            done.set_result([found[n] for n in range(len(urls))])

    for number, future in enumerate(futures):
        future.add_done_callback(lambda f, number=number: came(number, f))
    return await done
