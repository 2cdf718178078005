from tornado.ioloop import IOLoop


async def or_else(awaitable, seconds, fallback):
    try:
        return IOLoop.current().run_sync(lambda: awaitable, timeout=seconds)
    except TimeoutError:
        return fallback
