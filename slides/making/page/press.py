"""nbconvert, with the template beside this file: prints a notebook, or the index."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from nbconvert.exporters import HTMLExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from slides.making import deck
from slides.making.page.body import Body
from slides.making.page.site import TITLE, Site
from slides.paths import COLOURS

TEMPLATE = Path(str(files("slides.making.page")))


class Press:
    """Prints the pages of one site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.everywhere = {
            "style": f"{deck.text(COLOURS)}\n{deck.text(TEMPLATE / 'page.css')}",
            "icon": f"data:image/svg+xml,{quote(deck.text(TEMPLATE / 'icon.svg'))}",
        }
        self.exporter = HTMLExporter(
            template_name=TEMPLATE.name,
            extra_template_basedirs=[str(TEMPLATE.parent)],
            exclude_anchor_links=True,
            filters={"inline": inline, "markdown": markdown},
        )
        self.highlight = Highlight2HTML(pygments_lexer="python")

    def page(self, name: str) -> str:
        """Return the page of a notebook or a paper.

        Args:
            name: what it is called in the folder.

        Raises:
            CannotBuild: a link on it leads nowhere, or a picture has no words.
        """
        body = Body(self.site, name, self.highlight)
        for each in (body.code, body.words, body.picture):
            self.exporter.register_filter(each.__name__, each)
        page = {
            "lesson": self.site.pages[name],
            "is_notebook": name in self.site.lessons,
            "title": f"{self.site.pages[name].plain_title} · {TITLE}",
            "ways": self.site.ways(name),
            "neighbours": self.site.neighbours(name),
        }
        html, _ = self.exporter.from_notebook_node(
            self.site.pages[name].notebook, {"site": self.everywhere, "page": page}
        )
        return str(html)

    def index(self, names: dict[str, object]) -> str:
        """Return the index; `names` are those in the template `home.html.j2`."""
        template = self.exporter.environment.get_template("home.html.j2")
        return str(template.render(site=self.everywhere, **names))


def markdown(text: str) -> str:
    """Return Markdown as HTML."""
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer).render(text))


def inline(title: str) -> str:
    """Return a title in Markdown as HTML, without a heading around it."""
    # Left alone, "1. Title" would be a list.
    return re.sub(r"^<h1>|</h1>\s*$", "", markdown(f"# {title}"))
