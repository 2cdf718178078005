import asyncio

from tornado.iostream import StreamClosedError


async def read(stream, lines):
    try:
        while True:
            await lines.put(await stream.read_until(b"\n", max_bytes=100))
    except StreamClosedError:
        await lines.put(None)


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    lines = asyncio.Queue(10)
    reading = asyncio.create_task(read(stream, lines))
    try:
        while (line := await lines.get()) is not None:
            try:
                answer = sum(int(word) for word in line.split())
            except ValueError:
                answer = "error"
            await stream.write(f"{answer}\n".encode())
    except StreamClosedError:
        pass
    finally:
        reading.cancel()
