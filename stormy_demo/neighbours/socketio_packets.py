"""What a client of Socket.IO 5 may say: packets of Engine.IO 4, with its own in them."""

from __future__ import annotations

__all__ = ["GOODBYE", "are_packets", "is_packet", "socketio"]

try:
    import socketio  # type: ignore[import-untyped]
    from engineio.payload import Payload  # type: ignore[import-untyped]
    from socketio import packet
except ImportError as error:
    raise ImportError(
        "Socket.IO needs python-socketio, and one part cannot be imported, "
        f"{error.name}: pip install python-socketio aiohttp",
        name=error.name,
    ) from None

# What is said below Socket.IO: goodbye, that a ping has been heard; and only on a WebSocket,
# whether this gets through, and that the client goes over to it.
GOODBYE = "1"
BY_POST = (GOODBYE, "3")
BY_WEBSOCKET = (*BY_POST, "2probe", "5")


def is_packet(text: str, below: tuple[str, ...] = BY_WEBSOCKET) -> bool:
    """Say whether a client may send this; one that announces bytes, it may not.

    Args:
        text: what it sent.
        below: what it may say that is none of Socket.IO.
    """
    if not text.startswith("4"):
        return text in below
    try:
        found = packet.Packet(encoded_packet=text[1:])
    except (ValueError, RecursionError):
        return False
    match found.packet_type, found.data:
        case packet.CONNECT | packet.DISCONNECT, _:
            return True
        case packet.EVENT, [str(event), *_]:
            # The library would take "connect" for what it says itself.
            return event not in socketio.AsyncServer.reserved_events
        case packet.ACK, list():
            return found.id is not None
    return False


def are_packets(body: bytes) -> bool:
    """Say whether a client may send this by POST, of which the library loses what is too much.

    Args:
        body: the packets.
    """
    try:
        texts = body.decode().split("\x1e")
    except UnicodeDecodeError:
        return False
    few = len(texts) <= Payload.max_decode_packets
    return few and all(is_packet(text, BY_POST) for text in texts)
