"""Renders the pages with nbconvert, and with the templates beside this file."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from slides.making.files import icon, read_text
from slides.making.page.filters import Filters
from slides.making.page.site import TITLE, Site
from slides.making.tables import with_scope
from slides.paths import COLOURS

TEMPLATE = Path(str(files("slides.making.page")))


class Renderer:
    """Renders the pages of one site.

    Args:
        site: all pages.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        # What is written into each page, so that it is one file.
        self.assets = {
            "style": f"{read_text(COLOURS)}\n{read_text(TEMPLATE / 'page.css')}",
            "icon": icon(),
        }
        self.exporter = HTMLExporter(
            template_name=TEMPLATE.name,
            extra_template_basedirs=[str(TEMPLATE.parent)],
            exclude_anchor_links=True,
            # Once, and not after each step.
            optimistic_validation=True,
            filters={"inline": inline, "markdown": markdown},
        )
        self.highlight = Highlight2HTML(pygments_lexer="python")

    def page(self, name: str) -> str:
        """Return the page of a notebook or a paper.

        Args:
            name: what it is called in the folder of the pages.

        Raises:
            CannotBuild: a link on it leads nowhere, or a picture has no words.
        """
        filters = Filters(self.site, name, self.highlight)
        for each in (filters.code, filters.adapt, filters.picture):
            self.exporter.register_filter(each.__name__, each)
        page = {
            "lesson": self.site.pages[name],
            "folded": self.site.pages[name].folded(),
            "is_notebook": name in self.site.lessons,
            "title": f"{self.site.pages[name].plain_title} · {TITLE}",
            "navigation": self.site.navigation(name),
            "neighbours": self.site.neighbours(name),
        }
        # Without the last thing that its own class does. That parses the whole page once more,
        # for pictures without words, which are refused here, and for parts of JupyterLab, which
        # these pages do not have; it takes a third of the time.
        html, _ = TemplateExporter.from_notebook_node(
            self.exporter,
            self.site.pages[name].notebook,
            {"assets": self.assets, "page": page},
        )
        return with_scope(str(html))

    def index(self, context: dict[str, object]) -> str:
        """Return the index.

        Args:
            context: the variables of the template `home.html.j2`, but for `assets`.
        """
        template = self.exporter.environment.get_template("home.html.j2")
        return str(template.render(assets=self.assets, **context))


def markdown(text: str) -> str:
    """Return Markdown as HTML."""
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer).render(text))


def inline(title: str) -> str:
    """Return a title in Markdown as HTML, without a heading around it."""
    # By itself "1. Title" would be a list.
    return re.sub(r"^<h1>|</h1>\s*$", "", markdown(f"# {title}"))
