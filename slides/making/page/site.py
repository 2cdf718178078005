"""The pages as a whole: what each is called, where it is, and where its links lead."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from slides.making.notebook import CannotBuild
from slides.making.page.lesson import Lesson
from slides.paths import NOTEBOOK, PROJECT

INDEX = "index.html"
TITLE = "Stormy Webber"


class Site:
    """The pages, each under its name in the folder.

    Args:
        lessons: the notebooks, in their order.
        papers: the other pages.
        slides: the name of the deck, if it is there.
    """

    def __init__(
        self, lessons: dict[str, Lesson], papers: dict[str, Lesson], slides: str | None
    ) -> None:
        self.lessons, self.papers, self.slides = lessons, papers, slides
        self.pages = {**lessons, **papers}
        self.found_at = {lesson.source.resolve(): page for page, lesson in self.pages.items()}
        if slides:
            self.found_at[NOTEBOOK] = slides

    def ways(self, here: str) -> list[dict[str, object]]:
        """Return the way from a page to the index, and to each other page."""
        names = {INDEX: TITLE} | {page: self.name(page) for page in self.pages}
        return [
            {"address": way(here, page), "name": name, "here": page == here}
            for page, name in names.items()
        ]

    def name(self, page: str) -> str:
        """Return the title as far as its colon, or what comes after our own name."""
        first, _, second = self.pages[page].plain_title.partition(": ")
        return second.capitalize() if first == TITLE and second else first

    def neighbours(self, here: str) -> list[dict[str, str]]:
        """Return the notebook before a page, the index, and the notebook after it."""
        order = list(self.lessons)
        place = order.index(here) if here in order else None
        before = order[place - 1] if place else None
        after = order[place + 1] if place is not None and place + 1 < len(order) else None
        return [
            {"rel": rel, "says": says, "address": way(here, page), "title": title}
            for rel, says, page, title in (
                ("prev", "Before it", before, before and self.pages[before].plain_title),
                ("up", "All of it", INDEX, TITLE),
                ("next", "After it", after, after and self.pages[after].plain_title),
            )
            if page and title
        ]

    def link(self, here: str, address: str) -> str | None:
        """Say where a link leads from a page.

        Args:
            here: the page.
            address: what the link says in the source of the page.

        Returns:
            The address on the page; None if it is a file of the project that has no page.

        Raises:
            CannotBuild: it leads nowhere.
        """
        url = urlsplit(address)
        if url.scheme or url.netloc:
            return address
        source = self.pages[here].source.resolve()
        target = (source.parent / unquote(url.path)).resolve() if url.path else source
        place = self._place(target, unquote(url.fragment))
        if target in self.found_at and place is not None:
            page = self.found_at[target]
            return f"{'' if page == here and place else way(here, page)}{place and f'#{place}'}"
        if target not in self.found_at and target.is_relative_to(PROJECT) and target.exists():
            return None
        raise CannotBuild(f"{source.name} has a link to {address}, which is not there.")

    def named(self, here: str, words: str, after: str) -> str | None:
        """Say which page a file name in the text of a page is about.

        Args:
            here: the page.
            words: the name, as in `02_coroutines.ipynb` or `notebooks/02_coroutines.ipynb`.
            after: the text behind it. A section may be named there, as in `, 5`.

        Returns:
            The address on the page; None if it is none of the pages, or the page itself.
        """
        for target, page in self.found_at.items():
            if page != here and words in (target.name, f"{target.parent.name}/{target.name}"):
                number = re.match(r", (\d+)\b", after)
                lesson = self.pages.get(page)
                for section in lesson.sections if lesson and number else ():
                    if number and section.number == number[1]:
                        return f"{way(here, page)}#{section.id}"
                return way(here, page)
        return None

    def _place(self, target: Path, fragment: str) -> str | None:
        """Return the id for a fragment, which may be spelled as JupyterLab does."""
        lesson = self.pages.get(self.found_at.get(target, ""))
        if lesson is None or not fragment:
            return fragment
        for section in lesson.sections:
            if fragment in (section.id, section.plain_title.replace(" ", "-")):
                return section.id
        ids = [cell.get("id") for cell in lesson.notebook.cells]
        return fragment if fragment in ids else None


def way(here: str, there: str) -> str:
    """Return the address of one page of the folder as it stands in another."""
    return posixpath.relpath(there, posixpath.dirname(here) or ".")
