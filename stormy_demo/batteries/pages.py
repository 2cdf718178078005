"""A guest book: pages from templates, which show what strangers wrote and run none of it.

It answers `GET /`, with `?by=ada` for what one person wrote, and `POST /` with the fields of
its form: `name`, `text`, and `site`, which may be empty.

Whatever a template puts in with `{{ ... }}` is escaped: Tornado's `autoescape` is on. Two
things are left to the author: an attribute has quotes around it, and an address is looked at
before it is kept, since `javascript:` needs no character that would be escaped.
"""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tornado.web import Application, HTTPError

from stormy_demo.program import main
from stormy_demo.sentences import NotFoundHandler, SentenceHandler

from .small_bodies import SmallBodies

TEMPLATES = Path(__file__).parent / "templates"
MOST_ENTRIES = 100  # older ones are forgotten
LONGEST = {"name": 60, "site": 200, "text": 1000}  # characters


class Entry(NamedTuple):
    """What somebody wrote, as it was written."""

    name: str
    text: str
    site: str


def is_web_address(text: str) -> bool:
    """Say whether a text is an address of a page, and not code or anything else."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


class FormHandler(SentenceHandler):
    """A handler that reads the fields of a form."""

    def field(self, name: str, longest: int) -> str:
        """Return a field of the form, without blanks at its ends.

        Args:
            name: its name.
            longest: how many characters it may have.

        Raises:
            HTTPError: a 400; it is missing, there twice, too long, or not UTF-8.
        """
        value = self.only_field(name)
        if len(value) > longest:
            raise HTTPError(400, f"{name} must have {longest} characters at most")
        return value


class BookHandler(FormHandler):
    """The book."""

    def initialize(self, entries: deque[Entry]) -> None:
        """Keep the entries, the newest first."""
        self.entries = entries

    def get(self) -> None:
        """Show all entries, or those of one person."""
        by = self.only_argument("by", "")
        chosen = [entry for entry in self.entries if by in ("", entry.name)]
        self.render("book.html", entries=chosen)

    def post(self) -> None:
        """Keep an entry as it is, and show the book: what is shown is escaped, each time."""
        name, text, site = (self.field(name, LONGEST[name]) for name in Entry._fields)
        if not name or not text:
            raise HTTPError(400, "name and text must not be empty")
        if site and not is_web_address(site):
            raise HTTPError(400, "site must be empty, or begin with http:// or https://")
        self.entries.appendleft(Entry(name, text, site))
        self.redirect("/", status=303)


def make_app() -> Application:
    """Make a guest book, which is empty."""
    return SmallBodies(
        [(r"/", BookHandler, {"entries": deque(maxlen=MOST_ENTRIES)})],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/"},
        template_path=str(TEMPLATES),
        cross_origin_protection=True,
    )


if __name__ == "__main__":
    sys.exit(main(make_app))
