import asyncio

from tornado.iostream import StreamClosedError


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    try:
        while not stream.closed():
            async with asyncio.timeout(60):
                line = (await stream.read_until(b"\n", 100)).decode(errors="replace")
                try:
                    total = 0
                    for word in line.split():
                        total += int(word)
                except ValueError:
                    await stream.write(b"error\n")
                else:
                    await stream.write(str(total).encode() + b"\n")
    except (StreamClosedError, TimeoutError):
        pass
    finally:
        stream.close()
