import asyncio

from tornado.iostream import StreamClosedError


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    try:
        while True:
            reading = stream.read_until(b"\n", max_bytes=100)
            while not reading.done():
                await asyncio.sleep(0)
            try:
                answer = str(sum(int(word) for word in reading.result().split()))
            except ValueError:
                answer = "error"
            await stream.write(f"{answer}\n".encode())
    except StreamClosedError:
        return
