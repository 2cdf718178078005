async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    while True:
        try:
            line = await stream.read_until(b"\n", max_bytes=100)
            total = sum(int(word) for word in line.split())
            await stream.write(f"{total}\n".encode())
        except Exception:
            await stream.write(b"error\n")
