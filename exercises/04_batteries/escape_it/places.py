"""What an answer writes into each place of its page, found with marks that nobody escapes."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import NamedTuple
from urllib.parse import parse_qs

# Makes a page of one comment: of a name and a text.
Page = Callable[[str, str], str]

NAME, TEXT = "Xq7Name", "Xq7Text"
# Kinds of places, in the order in which a mistake is looked for.
IN_TEXT, ATTRIBUTE, ADDRESS = range(3)


class Place(NamedTuple):
    """A place of the page.

    Attributes:
        kind: what stands there: text, the `title` of the link, or a part of its address.
        quote: the quotes around an attribute, or nothing.
        typed: what somebody typed.
        written: what the answer made of it.
    """

    kind: int
    quote: str
    typed: str
    written: str

    def is_right(self) -> bool:
        """Say whether a browser finds there what was typed, and no end of the place."""
        found = unescape(self.written)
        if self.kind == IN_TEXT:
            return found == self.typed and "<" not in self.written
        if re.search(self.quote or "[\\s\"'=<>`]", self.written):
            return False
        if self.kind == ADDRESS:
            query = f"name={found}".partition("#")[0]
            return parse_qs(query, keep_blank_values=True) == {"name": [self.typed]}
        return found == self.typed


def places(page: Page, name: str, text: str) -> list[Place]:
    """Return the places of a page with one comment, those in texts first.

    Args:
        page: makes it.
        name: who wrote the comment.
        text: what they wrote.

    Returns:
        The places; none if the answer writes something else around them for other comments.
    """
    pieces = re.split(f"({NAME}|{TEXT})", page(NAME, TEXT))
    around, marks = pieces[::2], pieces[1::2]
    pattern = "(.*?)".join(re.escape(piece) for piece in around)
    match = re.fullmatch(pattern, page(name, text), re.DOTALL)
    found = []
    for before, mark, written in zip(
        around, marks, match.groups() if match else (), strict=False
    ):
        kind, quote = IN_TEXT, ""
        if attribute := re.search(r"(title|href)\s*=\s*([\"']?)[^\"'<>]*$", before):
            kind, quote = ATTRIBUTE if attribute[1] == "title" else ADDRESS, attribute[2]
        found.append(Place(kind, quote, name if mark == NAME else text, written))
    return sorted(found)
