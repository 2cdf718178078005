"""The addresses outside of an HTML file that a browser would ask for to show it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Attributes whose address is fetched; `href` is, too, unless it is a link to be followed.
FETCHED = {"src", "data", "poster", "background", "action", "formaction", "xlink:href"}
# What reveal.js fetches when the slide comes near.
FETCHED |= {f"data-{what}" for what in ("src", "background-iframe")}
SETS = {"srcset", "imagesrcset", "data-srcset"}
SETS |= {f"data-background-{what}" for what in ("image", "video")}
LINKS = {"a", "area"}

INSIDE = ("data:", "#", "about:", "blob:", "javascript:")

CANDIDATE = re.compile(r"(\S*[^\s,])(?:\s+[\d.]+[wx])?\s*(?:,|$)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
IN_CSS = re.compile(
    r"""(?:\burl\(\s*|@import\s+(?!url\())(?:"([^"]*)"|'([^']*)'|([^\s"')][^\s)]*))""",
    re.IGNORECASE,
)


def addresses(html: str) -> list[str]:
    """Find what a page would fetch that is not in the page itself.

    Links that a reader may follow do not count, nor what a script may ask for: only a browser
    can tell that.

    Args:
        html: a page, or a part of one.

    Returns:
        The addresses as they stand there, in their order.
    """
    return [found for found in _Page(html).found if found and not found.startswith(INSIDE)]


def in_css(css: str) -> list[str]:
    """Return whatever address a style sheet names, inside of the file or not."""
    found = IN_CSS.findall(COMMENT.sub("", css))
    return [double or single or bare for double, single, bare in found]


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.style: list[str] | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip() for name, value in attrs}
        for name, value in values.items():
            if name in SETS:
                self.found += CANDIDATE.findall(value)
            elif name == "srcdoc":
                self.found += _Page(value).found
            elif name in FETCHED | {"href"} and not ("href" in name and tag in LINKS):
                self.found.append(value)
            else:
                # A drawing has addresses in attributes of many names: fill="url(...)".
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
