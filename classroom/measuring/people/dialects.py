"""What a client says to each kind of room, inside of its WebSocket frames."""

from __future__ import annotations

import json


class Plain:
    """The text as it is, in both directions."""

    def path(self, name: str) -> str:
        """Return where somebody of this name finds the room."""
        return f"/socket?name={name}"

    def lets_in(self, payload: bytes | None) -> bool:
        """Say whether somebody is in the room now.

        Args:
            payload: what the server said; None when it has opened the WebSocket.
        """
        return payload is None

    def answer(self, payload: bytes) -> bytes | None:
        """Return what the server expects as an answer to what it said, if it expects one."""
        return None

    def say(self, text: str) -> bytes:
        """Return what tells this text to everybody."""
        return text.encode()

    def text(self, payload: bytes) -> str | None:
        """Return the text that somebody told to everybody, if this is one."""
        return payload.decode(errors="replace")


class SocketIO(Plain):
    """Socket.IO 5 on Engine.IO 4, on a WebSocket from the beginning."""

    def path(self, name: str) -> str:
        """Return the address of Engine.IO."""
        return f"/socket.io/?EIO=4&transport=websocket&name={name}"

    def lets_in(self, payload: bytes | None) -> bool:
        """Say whether the server has agreed to a connection of Socket.IO."""
        return payload is not None and payload.startswith(b"40")

    def answer(self, payload: bytes) -> bytes | None:
        """Ask for a connection of Socket.IO on one of Engine.IO, and answer a ping."""
        if payload.startswith(b"0"):
            return b"40"
        return b"3" if payload == b"2" else None

    def say(self, text: str) -> bytes:
        """Return the event that tells this text."""
        return b"42" + json.dumps(["say", text], separators=(",", ":")).encode()

    def text(self, payload: bytes) -> str | None:
        """Return the text of the event that tells one."""
        event = self.event(payload)
        return event if isinstance(event, str) else None

    def event(self, payload: bytes) -> object:
        """Return what came with the event `said`, if this is one."""
        try:
            match payload[:2], json.loads(payload[2:]):
                case b"42", ["said", said]:
                    return said
        except ValueError:
            pass
        return None
