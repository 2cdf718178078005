"""Going through a deck in a browser: each slide, step by step, or whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as TookTooLong

# A laptop or a wide projector, two large screens, and the 4:3 projector of many rooms.
SIZES = ((1280, 720), (1920, 1080), (3840, 2160), (1024, 768))
# A phone, upright and turned, on which the talk is a page to read.
READING_SIZES = ((390, 844), (844, 390))

# All slides, with those of the appendix, which reveal.js does not count.
ALL = "[...document.querySelectorAll('.slides section:not(:has(> section))')]"

# For each slide: its title, its first words, and the two indices by which reveal.js finds it.
SLIDES = (
    f"() => {ALL}"
    + """.map(slide => {
    const heading = slide.querySelector('h1, h2, h3, h4, h5, h6');
    const words = element => element.textContent.replace(/\\s+/g, ' ').trim();
    const copy = slide.cloneNode(true);
    copy.querySelectorAll('h1, h2, h3, h4, h5, h6, aside, svg, style').forEach(e => e.remove());
    const columns = [...document.querySelectorAll('.slides > section')];
    const h = columns.findIndex(column => column.contains(slide));
    const v = [...columns[h].querySelectorAll(':scope > section')].indexOf(slide);
    return [heading ? words(heading) : '', words(copy).slice(0, 30), h, Math.max(v, 0)];
})"""
)

# Takes the next step, and returns whether there was one. After the end comes the appendix, into
# which nobody gets from the last slide.
NEXT = """() => {
    const before = JSON.stringify(Reveal.getIndices());
    Reveal.next();
    if (before !== JSON.stringify(Reveal.getIndices())) return true;
    const {h} = Reveal.getIndices();
    if (!Reveal.getSlide(h + 1, 0)?.matches('[data-visibility=uncounted]')) return false;
    Reveal.slide(0, 0);
    Reveal.slide(h + 1, 0);
    return true;
}"""
# Ends what is still moving, so that a slide is looked at as it stays.
FINISH = """() => {
    for (const animation of document.getAnimations())
        if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
}"""

# Which slide is shown, from 0.
PRESENT = f"() => {ALL}.indexOf(Reveal.getCurrentSlide())"

# Each of these is one script, since a browser would draw what is shown between two of them. The
# first two return which slide is shown then, or null after the end.
BEGIN = f"() => {{ Reveal.slide(0, 0, -1); ({FINISH})(); return ({PRESENT})(); }}"
GO_ON = f"() => {{ if (!({NEXT})()) return null; ({FINISH})(); return ({PRESENT})(); }}"
# From the last slide nobody gets into the appendix behind it.
SHOW = f"""([h, v]) => {{
    Reveal.slide(0, 0);
    Reveal.slide(h, v, Infinity);
    ({FINISH})();
}}"""

# Takes all slides but the one that is shown out of the page, and leaves a comment for each.
TAKE_OUT = """() => {
    const present = Reveal.getCurrentSlide();
    window.takenOut = [...document.querySelectorAll('.slides section')]
        .filter(each => !each.contains(present) && !present.contains(each))
        .map(each => [each, document.createComment('')]);
    for (const [slide, place] of window.takenOut) slide.replaceWith(place);
}"""
PUT_BACK = """() => {
    for (const [slide, place] of window.takenOut) place.replaceWith(slide);
    delete window.takenOut;
}"""


@dataclass(frozen=True)
class Slide:
    """A slide, with what somebody needs to find it in the notebook."""

    number: int  # from 1, as on the slide itself
    title: str
    begins: str  # its first words, if another slide has the same title
    across: int  # its column, as reveal.js counts, from 0
    down: int  # its place in the column, from 0

    def __str__(self) -> str:
        title = f'"{self.title}"' if self.title else "without a title"
        return f"slide {self.number}, {title}" + (
            f" ({self.begins} ...)" if self.begins else ""
        )


class NeverStarts(Exception):
    """A page is no deck, or its scripts are broken, or it is not what this screen needs."""


def open_deck(page: Page, address: str) -> list[Slide]:
    """Open a deck, wait until reveal.js has started, and return the slides.

    Args:
        page: where to open it.
        address: of the deck.

    Raises:
        NeverStarts: there is no reveal.js in it, or it does not start.
    """
    _go(page, address)
    try:
        page.wait_for_function("Reveal.isReady()")
    except TookTooLong:
        raise NeverStarts("reveal.js does not start") from None
    return slides(page)


def open_to_read(page: Page, address: str) -> list[Slide]:
    """Open a deck on a screen that is too small for slides, and return them.

    Args:
        page: where to open it.
        address: of the deck.

    Raises:
        NeverStarts: there is no reveal.js in it, or it does not become a page to read.
    """
    _go(page, address)
    if not page.evaluate("'reading' in document.documentElement.dataset"):
        raise NeverStarts("it does not open as a page to read")
    return slides(page)


def _go(page: Page, address: str) -> None:
    page.goto(address)
    if not page.evaluate("'Reveal' in window"):
        raise NeverStarts("there is no reveal.js in it")


def slides(page: Page) -> list[Slide]:
    """Return the slides of an open deck, in their order."""
    found = page.evaluate(SLIDES)
    titles = Counter(title for title, *_ in found)
    return [
        Slide(number, title, begins if titles[title] > 1 else "", across, down)
        for number, (title, begins, across, down) in enumerate(found, 1)
    ]


def walk(page: Page) -> Iterator[Slide]:
    """Go through a deck from its beginning, step by step, as its speaker does.

    Args:
        page: a deck that is open.

    Yields:
        The slide that is shown, once for each step on it.
    """
    in_order = slides(page)
    number = page.evaluate(BEGIN)
    while number is not None:
        yield in_order[number]
        number = page.evaluate(GO_ON)


def show(page: Page, slide: Slide) -> None:
    """Show a slide with all its steps taken."""
    page.evaluate(SHOW, [slide.across, slide.down])


@contextmanager
def alone(page: Page) -> Iterator[None]:
    """Take all slides but the one that is shown out of the page while the block runs.

    axe-core goes through all of a page, also what is hidden, and with one slide in it takes a
    tenth of the time.
    """
    page.evaluate(TAKE_OUT)
    try:
        yield
    finally:
        page.evaluate(PUT_BACK)
