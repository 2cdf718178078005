"""Print a deck, or its notes, with a browser that has no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from slides.looking.browser import chromium
from slides.making.files import TEMPLATE

# With this query reveal.js lays a deck out for paper, all steps of a slide on one page.
PRINTED = "print-pdf&pdfSeparateFragments=false&pdfMaxPagesPerSlide=1&showNotes=false"

# In its print view too, reveal.js hides all slides but the first from screen readers, and what
# is hidden from them would be missing in the tags of the PDF.
UNHIDE = """() => document.querySelectorAll('section').forEach(section => {
    section.removeAttribute('hidden');
    section.removeAttribute('aria-hidden');
})"""

# The pages beside the deck are not beside its PDF, and have the addresses of this machine.
UNLINK = """() => document.querySelectorAll('a:not([href^="#"], [href*="://"])').forEach(
    link => link.removeAttribute('href'))"""


# What its print view says of the size of paper, which for notes is another.
WITHOUT_SIZE = """() => {
    for (const sheet of document.styleSheets)
        for (let at = sheet.cssRules.length; at--;)
            if (sheet.cssRules[at] instanceof CSSPageRule) sheet.deleteRule(at);
}"""

# The notes come out of their slide, and below it.
BELOW = """() => {
    document.title += ': the notes';
    document.querySelectorAll('.pdf-page').forEach((slide) => {
        const both = document.createElement('article');
        const said = document.createElement('div');
        said.className = 'said';
        said.append(...slide.querySelector('aside.notes')?.childNodes ?? []);
        slide.before(both);
        both.append(slide, said);
    });
}"""
NOTES_CSS = TEMPLATE / "notes.css"


def print_deck(deck: Path, output: Path) -> Path:
    """Print a deck into a tagged PDF, which a screen reader can read, too.

    Args:
        deck: the file that `slides.making.deck.build` wrote; its path is absolute.
        output: where the PDF goes.

    Returns:
        Where the PDF is.

    Raises:
        NoBrowser: there is no Chromium on this machine that starts.
    """
    with laid_out(deck) as page:
        return _print(page, output)


def print_notes(deck: Path, output: Path) -> Path:
    """Print each slide as it ends, and what is to be said to it, on pages of A4.

    Args:
        deck: as for `print_deck`.
        output: where the PDF goes.

    Returns:
        Where the PDF is. It is tagged, too.

    Raises:
        NoBrowser: there is no Chromium on this machine that starts.
    """
    with laid_out(deck) as page:
        page.evaluate(WITHOUT_SIZE)
        page.evaluate(BELOW)
        page.add_style_tag(content=NOTES_CSS.read_text(encoding="utf-8"))
        return _print(page, output)


@contextmanager
def laid_out(deck: Path) -> Iterator[Page]:
    """Open a deck in reveal.js's view for paper, in a browser without a network."""
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": 1280, "height": 720},
            offline=True,
            color_scheme="light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        # The event that says that the print view is ready may come before `goto` returns.
        page.add_init_script(
            "addEventListener('pdf-ready', () => { window.laidOut = true; }, true)"
        )
        page.goto(f"{deck.as_uri()}?{PRINTED}")
        page.wait_for_function("window.laidOut")
        page.evaluate(UNHIDE)
        page.evaluate(UNLINK)
        yield page


def _print(page: Page, output: Path) -> Path:
    page.pdf(
        path=output,
        prefer_css_page_size=True,
        print_background=True,
        tagged=True,
        outline=True,
    )
    return output
