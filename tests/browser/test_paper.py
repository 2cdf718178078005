"""The deck as a browser's own command prints it, from slides of any shape and in any light."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from pypdf import PdfReader
from pypdf.generic import ContentStream

from slides.looking import walk
from tests.browser.conftest import Opener

# For each slide: the words that can be read on it.
WORDS = (
    f"() => {walk.ALL}"
    + """.map(slide => {
    const copy = slide.cloneNode(true);
    copy.querySelectorAll('aside, .film, svg, .celltag_bare .jp-InputArea')
        .forEach(each => each.remove());
    return copy.textContent.split(/\\s+/).filter(Boolean);
})"""
)


def packed(text: str) -> str:
    """Return a text as a PDF has it: spaces are a guess there, and "fi" may be one letter."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def test_each_slide_is_a_page_with_all_its_words_in_the_colours_of_day(
    opened: Opener, deck: Path, tmp_path: Path
) -> None:
    # A square window in the dark, and no graphics of the background asked for.
    page = opened(viewport={"width": 1024, "height": 768}, color_scheme="dark")
    walk.open_deck(page, deck.as_uri())
    words = page.evaluate(WORDS)
    page.pdf(path=tmp_path / "deck.pdf", prefer_css_page_size=True)

    pages = PdfReader(tmp_path / "deck.pdf").pages
    assert len(pages) == len(words) > 20
    red = 0
    for printed, shown in zip(pages, words, strict=True):
        assert (printed.mediabox.width, printed.mediabox.height) == (960, 540)
        text = packed(printed.extract_text())
        assert [word for word in shown if packed(word) not in text] == []
        fills = {
            "".join(f"{round(255 * float(part)):02x}" for part in operands)
            for operands, operator in ContentStream(
                printed.get_contents(), printed.pdf
            ).operations
            if operator == b"rg"
        }
        assert "fbfaf5" in fills and "10171e" not in fills
        red += "b3261e" in fills
    assert red > 2

    # Whoever has printed goes on with the slides.
    assert page.evaluate("document.documentElement.dataset.shape") == "4:3"
    assert page.locator("section.present h1").is_visible()
    assert page.locator("section > section").nth(5).is_hidden()
