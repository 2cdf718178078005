"""What the door says in place of a traceback."""

from __future__ import annotations


class Trouble(Exception):
    """What stands in the way, as one sentence that says what to do."""


class Misuse(Trouble):
    """A word that a verb does not take; nothing has been done yet."""
