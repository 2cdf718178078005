"""The addresses that a browser would fetch to show an HTML file."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Attributes that hold an address. `href` is another, but for links, which a reader follows.
# The address of a form is fetched when it is sent, and counts as well.
ADDRESS = {"src", "data", "poster", "background", "action", "formaction", "xlink:href"}
# Attributes that hold several, separated by commas.
ADDRESSES = {"srcset", "imagesrcset", "data-srcset"}
# reveal.js fetches these when their slide is shown next.
ADDRESS |= {f"data-{what}" for what in ("src", "background-iframe")}
ADDRESSES |= {f"data-background-{what}" for what in ("image", "video")}
LINKS = {"a", "area"}

# How an address begins with which nothing outside of the file is fetched.
INSIDE = ("data:", "#", "about:", "blob:", "javascript:")

# One entry of a srcset: an address, and the width or the density of the screen it is for.
CANDIDATE = re.compile(r"(\S*[^\s,])(?:\s+[\d.]+[wx])?\s*(?:,|$)")
CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
IN_CSS = re.compile(
    r"""(?:\burl\(\s*|@import\s+(?!url\())(?:"([^"]*)"|'([^']*)'|([^\s"')][^\s)]*))""",
    re.IGNORECASE,
)


def fetched(html: str) -> list[str]:
    """Return the addresses outside of a page that a browser would fetch to show it.

    Links that a reader may follow do not count, nor does what a script may ask for, which is
    only known when it runs.

    Args:
        html: a page, or a part of one.

    Returns:
        The addresses as they stand there, in their order, and as often.
    """
    return [found for found in _Page(html).found if found and not found.startswith(INSIDE)]


def in_css(css: str) -> list[str]:
    """Return all addresses in a style sheet, outside of the file or not."""
    found = IN_CSS.findall(CSS_COMMENT.sub("", css))
    return [double or single or bare for double, single, bare in found]


class _Page(HTMLParser):
    """All addresses in a page, but those of links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.style: list[str] | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip() for name, value in attrs}
        for name, value in values.items():
            if name in ADDRESSES:
                self.found += CANDIDATE.findall(value)
            elif name == "srcdoc":
                self.found += _Page(value).found
            elif name in ADDRESS | {"href"} and not ("href" in name and tag in LINKS):
                self.found.append(value)
            else:
                # In SVG, attributes of many names are CSS: fill="url(...)".
                self.found += in_css(value)
        if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            self.found += re.findall(r"url\s*=\s*['\"]?([^'\"]+)", values.get("content", ""))
        if tag == "style":
            self.style = []

    def handle_data(self, data: str) -> None:
        if self.style is not None:
            self.style.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "style" and self.style is not None:
            self.found += in_css("".join(self.style))
            self.style = None
