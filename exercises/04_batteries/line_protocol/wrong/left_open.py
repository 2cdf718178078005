from tornado.iostream import StreamClosedError


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    kept = b""
    try:
        while True:
            while b"\n" not in kept and len(kept) <= 100:
                kept += await stream.read_bytes(1024, partial=True)
            line, end, kept = kept.partition(b"\n")
            if len(line + end) > 100:
                return
            try:
                await stream.write(b"%d\n" % sum(map(int, line.split())))
            except ValueError:
                await stream.write(b"error\n")
    except StreamClosedError:
        pass
