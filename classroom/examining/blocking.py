"""The film of a handler that holds the loop, beside which other films are shown.

    python -m classroom.examining.blocking

makes it anew. It is kept, since to make it takes three seconds.
"""

from __future__ import annotations

import re
import time
from html import unescape
from pathlib import Path

from tornado.web import Application, RequestHandler

from loopfilm import Film, watch

FILE = Path(__file__).with_suffix(".svg")


def kept() -> tuple[str, str]:
    """Return the film that is kept, as a picture and in words."""
    svg = FILE.read_text(encoding="utf-8").strip()
    label = re.search(r'aria-label="([^"]*)"', svg)
    return svg, unescape(label[1]) if label else ""


class Slow(RequestHandler):
    """Hold the loop for a while, and answer."""

    def get(self) -> None:
        """Answer late."""
        time.sleep(self.settings["seconds"])
        self.write("at last")


def made(seconds: float = 1.0) -> Film:
    """Make the film of three visitors.

    Args:
        seconds: for how long each of them holds the loop.
    """
    app = Application([(r"/", Slow)], seconds=seconds)
    return watch(app, ["/?user=ada", "/?user=grace", "/?user=alan"])


if __name__ == "__main__":
    FILE.write_text(made().svg() + "\n", encoding="utf-8")
