from tornado.iostream import StreamClosedError


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    try:
        while True:
            words = (await stream.read_until(b"\n", max_bytes=100)).split()
            try:
                total = sum(float(word) for word in words)
                answer = int(total) if total.is_integer() else "error"
            except ValueError:
                answer = "error"
            await stream.write(f"{answer}\n".encode())
    except StreamClosedError:
        return
