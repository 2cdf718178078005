import asyncio


def join(futures):
    return asyncio.wait(futures)
