from tornado.iostream import StreamClosedError

kept = b""


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    global kept
    try:
        while True:
            while b"\n" not in kept:
                data = await stream.read_bytes(100, partial=True)
                kept += data
            line, _, kept = kept.partition(b"\n")
            try:
                answer = str(sum(int(word) for word in line.split()))
            except ValueError:
                answer = "error"
            await stream.write(f"{answer}\n".encode())
    except StreamClosedError:
        return
