"""The pages as a whole: the name of each, and where its links lead."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from slides.making.notebook import CannotBuild
from slides.making.page.lesson import Lesson
from slides.paths import NOTEBOOK, ROOT

INDEX = "index.html"
TITLE = "Stormy Webber"


class Site:
    """The pages, each by its name in their folder, such as `notebooks/01_callbacks.html`.

    Args:
        lessons: the notebooks, in their order.
        papers: the other pages.
        deck: the name of the deck, if it is there.
    """

    def __init__(
        self, lessons: dict[str, Lesson], papers: dict[str, Lesson], deck: str | None
    ) -> None:
        self.lessons, self.papers, self.deck = lessons, papers, deck
        self.pages = {**lessons, **papers}
        self.page_of = {lesson.source.resolve(): page for page, lesson in self.pages.items()}
        if deck:
            self.page_of[NOTEBOOK] = deck

    def navigation(self, here: str) -> list[dict[str, object]]:
        """Return the links from a page to the index and to all pages, itself too."""
        names = {INDEX: TITLE} | {page: self.name(page) for page in self.pages}
        return [
            {"address": relative(here, page), "name": name, "here": page == here}
            for page, name in names.items()
        ]

    def name(self, page: str) -> str:
        """Return the title up to its colon, or what is after it if the kit's name is before."""
        first, _, second = self.pages[page].plain_title.partition(": ")
        return second.capitalize() if first == TITLE and second else first

    def neighbours(self, here: str) -> list[dict[str, str]]:
        """Return links to the notebook before a page, the index, and the notebook after it."""
        order = list(self.lessons)
        place = order.index(here) if here in order else None
        before = order[place - 1] if place else None
        after = order[place + 1] if place is not None and place + 1 < len(order) else None
        return [
            {"rel": rel, "says": says, "address": relative(here, page), "title": title}
            for rel, says, page, title in (
                ("prev", "Before it", before, before and self.pages[before].plain_title),
                ("up", "All of it", INDEX, TITLE),
                ("next", "After it", after, after and self.pages[after].plain_title),
            )
            if page and title
        ]

    def link(self, here: str, address: str) -> str | None:
        """Return the address for a link on a page.

        Args:
            here: the page.
            address: the link's address in the notebook or paper that the page is made from.

        Returns:
            The address; None if the link leads to a file of the project that has no page.

        Raises:
            CannotBuild: the link leads nowhere.
        """
        url = urlsplit(address)
        if url.scheme or url.netloc:
            return address
        source = self.pages[here].source.resolve()
        target = (source.parent / unquote(url.path)).resolve() if url.path else source
        place = self._place(target, unquote(url.fragment))
        if target in self.page_of and place is not None:
            page = self.page_of[target]
            path = "" if page == here and place else relative(here, page)
            return f"{path}{place and f'#{place}'}"
        if target not in self.page_of and target.is_relative_to(ROOT) and target.exists():
            return None
        raise CannotBuild(f"{source.name} has a link to {address}, which is not there.")

    def mention(self, here: str, name: str, following: str) -> str | None:
        """Return the address for the name of a file that the text of a page mentions.

        Args:
            here: the page.
            name: as in `02_coroutines.ipynb` or `notebooks/02_coroutines.ipynb`.
            following: the text after it, which may name a section, as in `, 5`.

        Returns:
            The address; None if no other page is made from a file of this name.
        """
        for target, page in self.page_of.items():
            if page != here and name in (target.name, f"{target.parent.name}/{target.name}"):
                number = re.match(r", (\d+)\b", following)
                lesson = self.pages.get(page)
                for section in lesson.sections if lesson and number else ():
                    if number and section.number == number[1]:
                        return f"{relative(here, page)}#{section.id}"
                return relative(here, page)
        return None

    def _place(self, target: Path, fragment: str) -> str | None:
        """Return the id that a fragment stands for; None if nothing in the target has it.

        JupyterLab makes fragments from the words of a heading: `#1.-Wait-for-it`.
        """
        lesson = self.pages.get(self.page_of.get(target, ""))
        if lesson is None or not fragment:
            return fragment
        for section in lesson.sections:
            if fragment in (section.id, section.plain_title.replace(" ", "-")):
                return section.id
        ids = [cell.get("id") for cell in lesson.notebook.cells]
        return fragment if fragment in ids else None


def relative(here: str, there: str) -> str:
    """Return the address of a page as it stands in another of the same folder."""
    return posixpath.relpath(there, posixpath.dirname(here) or ".")
