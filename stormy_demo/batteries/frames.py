"""One WebSocket frame for many readers: made once, and handed to each connection as it is.

`WebSocketHandler.write_message` makes the frame anew for each connection, and a task with it
that tells the writer when it is through. In a room where everybody gets the same, that is most
of the work.
"""

from __future__ import annotations

import struct

from tornado.iostream import StreamBufferFullError
from tornado.websocket import WebSocketHandler

# The first byte of a frame: the last one of its message, which is text.
WHOLE_TEXT = 0x81

# The number by which a close tells why, see RFC 6455 and its registry: try again later.
TRY_AGAIN_LATER = 1013


def text_frame(text: bytes) -> bytes:
    """Return the frame in which a server sends a text.

    It is not compressed, which it need not be on a connection that has agreed on compression.

    Args:
        text: the text, in UTF-8.
    """
    size = len(text)
    if size < 126:
        return struct.pack("!BB", WHOLE_TEXT, size) + text
    if size < 1 << 16:
        return struct.pack("!BBH", WHOLE_TEXT, 126, size) + text
    return struct.pack("!BBQ", WHOLE_TEXT, 127, size) + text


def write_frame(handler: WebSocketHandler, frame: bytes, most_waiting: int) -> bool:
    """Hand a frame to a connection, and do not wait until it is sent.

    Args:
        handler: whose connection it is. On one that is closing, nothing is done.
        frame: what `text_frame` made, or several of these in one piece.
        most_waiting: so many bytes may wait already until the connection takes them.

    Returns:
        Whether there was room for it; if not, it is not sent.
    """
    connection = handler.ws_connection
    if connection is None or connection.is_closing():
        return True
    stream = connection.stream
    assert stream is not None
    # Only meanwhile: Tornado itself does not expect that a pong or a close is refused.
    stream.max_write_buffer_size = most_waiting + len(frame)
    try:
        stream.write(frame)
    except StreamBufferFullError:
        return False
    finally:
        stream.max_write_buffer_size = None
    return True
