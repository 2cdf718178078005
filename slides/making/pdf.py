"""Print a deck, a page for each slide, with a browser that has no network."""

from __future__ import annotations

from pathlib import Path

from slides.looking.browser import chromium

# How reveal.js lays a deck out for paper: all steps of a slide are on its one page.
PRINTED = "print-pdf&pdfSeparateFragments=false&pdfMaxPagesPerSlide=1&showNotes=false"

# To reveal.js all slides but the first are hidden still, and a screen reader would get none.
UNHIDE = """() => document.querySelectorAll('section').forEach(section => {
    section.removeAttribute('hidden');
    section.removeAttribute('aria-hidden');
})"""


def print_deck(deck: Path, output: Path) -> Path:
    """Print a deck, for those who read it afterwards, or with a screen reader.

    Args:
        deck: what `slides.making.deck.build` made.
        output: where the PDF goes.

    Returns:
        Where the PDF is.

    Raises:
        NoBrowser: there is no Chromium on this machine.
    """
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": 1280, "height": 720},
            offline=True,
            color_scheme="light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        # The print view says that it is ready in an event, which may come before we can ask.
        page.add_init_script(
            "addEventListener('pdf-ready', () => { window.laidOut = true; }, true)"
        )
        page.goto(f"{deck.as_uri()}?{PRINTED}")
        page.wait_for_function("window.laidOut")
        page.evaluate(UNHIDE)
        page.pdf(
            path=output,
            prefer_css_page_size=True,
            print_background=True,
            tagged=True,
            outline=True,
        )
    return output
