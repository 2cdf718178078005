"""The filters of the template, which adapt what nbconvert makes of a cell to a page.

It is to be read on a phone and on paper, by keyboard alone, and with a screen reader.
"""

from __future__ import annotations

import base64
import mimetypes
import re
from collections import Counter
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING

from bs4 import BeautifulSoup, Tag
from bs4.element import PreformattedString

from slides.making import playable
from slides.making.files import read_text
from slides.making.inline import DATA, decoded
from slides.making.notebook import CannotBuild
from slides.making.page.lesson import MINUTES, slug
from slides.making.page.site import Site
from slides.paths import COLOURS

if TYPE_CHECKING:
    from nbformat import NotebookNode

TAGS = re.compile(r"<[^>]*>")
PRE = re.compile(r"^<pre>(?:<span></span>|<code[^>]*>)?|(?:</code>)?</pre>$")

# A row of more characters has no room on a phone. In such a table, which is of prose, the cells
# of a row stand below one another there.
WIDE_ROW = 60


def lines(html: str) -> str:
    """Return code in which a long line is wrapped, and goes on below its own beginning.

    So code need not be scrolled, and is printed whole.

    Args:
        html: code, with its colours and without `<pre>`.
    """
    wrapped = []
    for line in html.strip("\n").split("\n"):
        text = unescape(TAGS.sub("", line))
        indent = len(text) - len(text.lstrip())
        style = f' style="--in:{indent}"' if indent and text.strip() else ""
        wrapped.append(f"<span{style}>{line}\n</span>")
    return f'<pre class="code"><code>{"".join(wrapped)}</code></pre>'


class Filters:
    """The filters for one page: `code`, `adapt` and `picture`.

    Args:
        site: all pages.
        page: the name of this one.
        highlight: returns Python as HTML with colours.
    """

    def __init__(self, site: Site, page: str, highlight: Callable[[str], str]) -> None:
        self.site, self.page, self.highlight = site, page, highlight
        self.lesson = site.pages[page]
        self.frames = Counter[str]()  # how many of each kind, to number them

    def code(self, source: str) -> str:
        """Return Python as HTML with colours."""
        _, begin, rest = self.highlight(source).partition("<pre>")
        pre, end, _ = rest.rpartition("</pre>")
        return lines(PRE.sub("", begin + pre + end))

    def adapt(self, html: str, cell: str = "") -> str:
        """Return HTML with its headings, links, code, tables and pictures adapted to the page.

        Args:
            html: a part of the page, made from Markdown or from an output.
            cell: the id of the cell, if it is one of Markdown.

        Raises:
            CannotBuild: a link in it leads nowhere, or a picture has no words.
        """
        soup = BeautifulSoup(playable.unframed(html), "html.parser")
        if cell:
            self._headings(soup, cell)
        self._links(soup)
        self._code(soup)
        for table in soup.find_all("table"):
            self._table(soup, table)
        for picture in soup.find_all("img"):
            self._picture(soup, picture)
        return str(soup)

    def picture(self, output: NotebookNode, kind: str) -> str:
        """Return an output that is a picture as HTML.

        Args:
            output: the output. The words for the picture are in its metadata, as `alt`.
            kind: the MIME type that is to be shown.

        Raises:
            CannotBuild: the picture has no words.
        """
        words = output.get("metadata", {}).get(kind, {}).get("alt")
        alt = f' alt="{escape(words)}"' if words else ""
        content = output.data[kind]
        if kind == "image/svg+xml":
            content = base64.b64encode(content.encode()).decode()
        return self.adapt(f'<img src="data:{kind};base64,{content}"{alt}>')

    def _headings(self, soup: BeautifulSoup, cell: str) -> None:
        for number, heading in enumerate(soup.find_all(re.compile("^h[1-6]$"))):
            if heading.contents and isinstance(last := heading.contents[-1], str):
                last.replace_with(MINUTES.sub("", last))
            heading["id"] = slug(heading.get_text()) if number else cell
            for section in self.lesson.sections:
                if section.id == heading["id"] and section.minutes:
                    time = soup.new_tag("p", attrs={"class": "minutes"})
                    time.string = f"{section.path}, {section.minutes:g} minutes"
                    heading.insert_after(time)

    def _code(self, soup: BeautifulSoup) -> None:
        for pre in soup.find_all("pre"):
            if pre.find_parent("details"):
                # A solution, which is folded, comes as plain text.
                html = self.code(pre.get_text())
            else:
                html = lines(PRE.sub("", str(pre)))
            coloured = pre.find_parent(class_="highlight")
            # It is ready as it is: nothing that comes later looks into code.
            (coloured or pre).replace_with(PreformattedString(html))

    def _links(self, soup: BeautifulSoup) -> None:
        for link in soup.find_all("a", href=True):
            address = self.site.link(self.page, str(link["href"]))
            if address is None:
                link.unwrap()
            else:
                link["href"] = address
        for code in soup.find_all("code"):
            if code.find_parent(["a", "pre"]):
                continue
            after = code.next_sibling
            following = after if isinstance(after, str) else ""
            if address := self.site.mention(self.page, code.get_text(), following):
                code.wrap(soup.new_tag("a", href=address))

    def _table(self, soup: BeautifulSoup, table: Tag) -> None:
        names = [cell.get_text(" ", strip=True) for cell in table.select("thead tr > *")]
        rows = [row.find_all(["td", "th"]) for row in table.select("tbody tr")]
        if names and not names[0]:
            # A table with an empty corner has in its first column the headings of its rows.
            table.select("thead tr > *")[0].name = "td"
            for first in (row[0] for row in rows if row):
                first.name, first["scope"] = "th", "row"
        for code in table.select("code"):
            self._breaks(soup, code)
        widths = [len(row.get_text(" ", strip=True)) for row in table.select("tr")]
        if max(widths, default=0) <= WIDE_ROW:
            self._frame(soup, table, "Table")
            return
        table["class"] = "prose"
        for row in rows if len(names) > 2 else []:
            for name, cell in list(zip(names, row, strict=False))[1:]:
                cell["data-name"] = name

    def _picture(self, soup: BeautifulSoup, picture: Tag) -> None:
        source = self.lesson.source
        if not picture.has_attr("alt"):
            raise CannotBuild(f"{source.name} has a picture without words: give it an alt=.")
        if not str(picture.get("src", "")).startswith("data:"):
            picture["src"] = as_data(source, str(picture.get("src", "")))
        svg = decoded(str(picture["src"]).removeprefix(DATA))
        if playable.has_two_lights(svg):
            both = playable.in_both_lights(svg).encode()
            picture["src"] = DATA + base64.b64encode(both).decode()
            picture["class"] = "film"
            del picture["style"]
        elif is_drawing(svg):
            picture["src"] = DATA + base64.b64encode(with_colours(svg).encode()).decode()
            picture["class"] = "drawing"
            del picture["width"]
        self._frame(soup, picture, "Picture")

    def _frame(self, soup: BeautifulSoup, thing: Tag, kind: str) -> None:
        """Put an element into a frame that can be scrolled, also by keyboard."""
        self.frames[kind] += 1
        name = f"{kind} {self.frames[kind]}"
        attributes = {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": name}
        thing.wrap(soup.new_tag("div", attrs=attributes))

    @staticmethod
    def _breaks(soup: BeautifulSoup, code: Tag) -> None:
        """Let a long name be broken after each slash, dot and underscore."""
        parts = re.split(r"(?<=[/._])(?=\w)", code.get_text())
        code.clear()
        for number, part in enumerate(parts):
            code.extend([soup.new_tag("wbr"), part] if number else [part])


def is_drawing(svg: str) -> bool:
    """Return whether a picture is one of the talk's, in the colours of the page around it."""
    return "var(--ink" in svg


def with_colours(svg: str) -> str:
    """Return a drawing with the colours of the pages in it: an image sees no page around it."""
    begin, end, rest = svg.partition(">")
    return f"{begin}{end}<style>{read_text(COLOURS)}</style>{rest}"


def as_data(source: Path, address: str) -> str:
    """Return a data address with a picture in it, so that a page is one file.

    Args:
        source: the notebook or paper that shows it.
        address: the picture, seen from there.

    Raises:
        CannotBuild: the picture is not there.
    """
    try:
        content = (source.parent / address).read_bytes()
    except OSError:
        raise CannotBuild(f"{source.name} shows {address}, which is not there.") from None
    kind = mimetypes.guess_type(address)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
