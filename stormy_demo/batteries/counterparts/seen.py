"""What a browser makes of a page, told as text: what stands there, and what would run.

It knows the common ways in which a page runs code, and is no judge of whether a page is safe.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import NamedTuple

# Attributes whose value is an address that a browser goes to.
ADDRESSES = ("action", "formaction", "href", "src")
CODE = "javascript:"
NOT_ON_THE_PAGE = ("script", "style", "title")
# What a browser passes over in an address: this at its beginning, and that anywhere.
IN_FRONT, ANYWHERE = re.compile(r"^[\x01-\x20]+"), re.compile(r"[\t\n\r]")


class Seen(NamedTuple):
    """What somebody sees who opens a page.

    Attributes:
        text: the text on the page, each run of white space as one blank.
        runs: each piece of code that runs, at once, at a click, or when the mouse comes.
    """

    text: str
    runs: list[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.runs: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NOT_ON_THE_PAGE:
            self.inside = tag
        for name, value in attrs:
            address = ANYWHERE.sub("", IN_FRONT.sub("", value or ""))
            if name.startswith("on"):
                self.runs.append(value or "")
            elif name in ADDRESSES and address.lower().startswith(CODE):
                self.runs.append(address[len(CODE) :])
            elif tag == "script" and name == "src":
                self.runs.append(address)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # In HTML the slash of `<script/>` means nothing.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside:
            self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.runs.append(data)
        elif not self.inside:
            self.text.append(data)


def seen(page: str | bytes) -> Seen:
    """Return what a browser makes of a page.

    Args:
        page: the page, or a piece of one; bytes are UTF-8.

    Raises:
        UnicodeDecodeError: the bytes are not UTF-8.
    """
    reader = _Reader()
    reader.feed(page if isinstance(page, str) else page.decode())
    reader.close()
    return Seen(" ".join("".join(reader.text).split()), reader.runs)
