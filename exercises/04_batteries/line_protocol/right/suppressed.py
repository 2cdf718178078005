import re
from contextlib import suppress

from tornado.iostream import StreamClosedError


def answer(line):
    if re.fullmatch(rb"[-\d ]+", line):
        with suppress(ValueError):
            return sum(int(word) for word in line.decode().split(" ") if word)
    return "error"


async def serve(stream):
    """Answer each line of a client with the sum of its numbers, until it leaves."""
    with suppress(StreamClosedError):
        while True:
            line = await stream.read_until_regex(rb"\n", max_bytes=100)
            stream.write(f"{answer(line[:-1])}\n".encode())
