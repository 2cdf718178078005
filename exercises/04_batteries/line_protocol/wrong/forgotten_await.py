from tornado.iostream import StreamClosedError


async def answer(stream, line):
    try:
        total = str(sum(int(word) for word in line.split()))
    except ValueError:
        total = "error"
    await stream.write(f"{total}\n".encode())


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    try:
        while True:
            line = await stream.read_until(b"\n", max_bytes=100)
            answer(stream, line)
    except StreamClosedError:
        return
