from tornado.iostream import StreamClosedError


def total_of(line):
    try:
        return str(sum(int(word) for word in line.split()))
    except ValueError:
        return "error"


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    try:
        while True:
            line = await stream.read_until(b"\n", max_bytes=100)
            return await stream.write(total_of(line).encode() + b"\n")
    except StreamClosedError:
        return None
