import socket

from tornado.iostream import StreamClosedError


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    stream.socket.setblocking(True)
    file = stream.socket.makefile("rwb")
    for line in file:
        try:
            answer = str(sum(int(word) for word in line.split()))
        except ValueError:
            answer = "error"
        file.write(f"{answer}\n".encode())
        file.flush()
