import asyncio


def join(futures):
    return asyncio.gather(*futures)
