"""The last line of a part: the notebook and the section that go on from there."""

from __future__ import annotations

import re
from pathlib import Path

from slides.making.page.lesson import read_notebook

# A notebook, with or without its folder, and the numbers of sections, as in "3, 5 and 6".
WAY = re.compile(r"`(?:notebooks/)?(\w+)(?:\.ipynb)?`, (\d+(?:,? (?:and|to) \d+|, \d+)*)")
NO_BREAK = "\N{NO-BREAK SPACE}"


class Onward:
    """Says where a part goes on, and leads there if the page of the notebook is at hand.

    Args:
        notebooks: the folder of the notebooks whose pages stand beside the deck; None if the
            deck stands alone, where a link would lead nowhere.
    """

    def __init__(self, notebooks: Path | None) -> None:
        self.ids: dict[tuple[str, str], str] = {}
        for source in notebooks.glob("[!.]*.ipynb") if notebooks else ():
            for section in read_notebook(source).sections:
                self.ids.setdefault((source.stem, section.number), section.id)

    def line(self, source: str) -> str:
        """Return the line of a slide, as Markdown.

        Args:
            source: as it stands in the notebook of the talk, which says numbers only.
        """
        return WAY.sub(self._way, source)

    def _way(self, found: re.Match[str]) -> str:
        stem, numbers = found[1], found[2]
        name = found[0].partition(", ")[0]
        sections = f"section{'' if numbers.isdecimal() else 's'} {numbers}"
        # On one line, or a number would stand alone in the next.
        words = f"{name}, {sections.replace(' ', NO_BREAK)}"
        there = self.ids.get((stem, re.findall(r"\d+", numbers)[0]))
        return f"[{words}](notebooks/{stem}.html#{there})" if there else words
