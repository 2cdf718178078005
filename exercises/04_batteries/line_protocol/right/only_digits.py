from tornado.iostream import StreamClosedError


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    try:
        while True:
            words = (await stream.read_until(b"\n", max_bytes=100)).split()
            if words and all(word.isdigit() for word in words):
                answer = sum(int(word) for word in words)
            else:
                answer = "error"
            await stream.write(f"{answer}\n".encode())
    except StreamClosedError:
        return
