from tornado.iostream import StreamClosedError


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    try:
        while True:
            line = await stream.read_until(b"\n", max_bytes=100)
            try:
                answer = str(eval(line.decode().strip().replace(" ", "+")))
            except Exception:
                answer = "error"
            await stream.write(f"{answer}\n".encode())
    except StreamClosedError:
        return
