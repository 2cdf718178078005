"""WebSocket frames by hand, as a client needs them (RFC 6455).

A library would cost the crowd more than the servers that it is there to measure.
"""

from __future__ import annotations

from loopfilm import LOCALHOST

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FINAL = 0x80
MASKED = 0x80
# A client has to mask what it sends. A key of zeros leaves the bytes as they are; the server
# does not know that, and works as for any other.
KEY = bytes(4)
# What the length of a frame says when the true one is in the next two, or eight, bytes.
IN_TWO, IN_EIGHT = 126, 127
END_OF_HEADERS = b"\r\n\r\n"


def handshake(path: str, port: int) -> bytes:
    """Return the request that opens a WebSocket, with the origin of a page of that server.

    No compression is offered, so that no server compresses.
    """
    host = f"{LOCALHOST}:{port}"
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def frame(kind: int, payload: bytes) -> bytes:
    """Return a frame as a client sends it.

    Args:
        kind: its opcode.
        payload: 65,535 bytes at most.
    """
    size = len(payload)
    if size < IN_TWO:
        head = bytes([FINAL | kind, MASKED | size])
    else:
        head = bytes([FINAL | kind, MASKED | IN_TWO]) + size.to_bytes(2)
    return head + KEY + payload


def cut(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Cut what a server sent into frames.

    Returns:
        The opcode and the payload of each whole frame, and the bytes that are left over.
    """
    frames = []
    at, end = 0, len(data)
    while end - at >= 2:
        size, start = data[at + 1], at + 2
        if size == IN_TWO:
            start += 2
            size = int.from_bytes(data[at + 2 : start])
        elif size == IN_EIGHT:
            start += 8
            size = int.from_bytes(data[at + 2 : start])
        # With less than a whole head, `start` is behind the end.
        if start + size > end:
            break
        frames.append((data[at] & 0x0F, data[start : start + size]))
        at = start + size
    return frames, data[at:]
