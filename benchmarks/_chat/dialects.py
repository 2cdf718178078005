"""What the chats tell: JSON with the number of a message, its author and its text."""

from __future__ import annotations

import json

from classroom.measuring.people import dialects


class Plain(dialects.Plain):
    """The text as it is; in the other direction the JSON."""

    def text(self, payload: bytes) -> str | None:
        """Return the text that somebody told to everybody, if this is one."""
        try:
            return str(json.loads(payload)["text"])
        except (ValueError, LookupError, TypeError):
            return None


class SocketIO(dialects.SocketIO):
    """Socket.IO, with the same JSON."""

    def text(self, payload: bytes) -> str | None:
        """Return the text of the event that tells one."""
        event = self.event(payload)
        return str(event.get("text")) if isinstance(event, dict) else None
