"""Print a deck, a page for each slide, with a browser that has no network."""

from __future__ import annotations

from pathlib import Path

from slides.looking.browser import chromium

# With this query reveal.js lays a deck out for paper, all steps of a slide on one page.
PRINTED = "print-pdf&pdfSeparateFragments=false&pdfMaxPagesPerSlide=1&showNotes=false"

# In its print view too, reveal.js hides all slides but the first from screen readers, and what
# is hidden from them would be missing in the tags of the PDF.
UNHIDE = """() => document.querySelectorAll('section').forEach(section => {
    section.removeAttribute('hidden');
    section.removeAttribute('aria-hidden');
})"""


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
        page.pdf(
            path=output,
            prefer_css_page_size=True,
            print_background=True,
            tagged=True,
            outline=True,
        )
    return output
