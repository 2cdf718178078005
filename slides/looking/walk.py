"""Going through a deck in a browser: each slide, step by step, or whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as TookTooLong

# A laptop or a wide beamer, a large screen, and the beamer that is still in many rooms.
SIZES = ((1280, 720), (1920, 1080), (1024, 768))

SLIDES = """() => Reveal.getSlides().map(slide => {
    const heading = slide.querySelector('h1, h2, h3, h4, h5, h6');
    const words = element => element.textContent.replace(/\\s+/g, ' ').trim();
    const copy = slide.cloneNode(true);
    copy.querySelectorAll('h1, h2, h3, h4, h5, h6, aside, svg, style').forEach(e => e.remove());
    const {h, v} = Reveal.getIndices(slide);
    return [heading ? words(heading) : '', words(copy).slice(0, 30), h, v ?? 0];
})"""

# Whether there was a step to take. What moves is to have arrived.
NEXT = """() => {
    const before = JSON.stringify(Reveal.getIndices());
    Reveal.next();
    return before !== JSON.stringify(Reveal.getIndices());
}"""
ARRIVE = """() => {
    for (const animation of document.getAnimations())
        if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
}"""

PRESENT = "() => Reveal.getSlides().indexOf(Reveal.getCurrentSlide())"

# Each other slide goes from the page, and leaves a comment in its place.
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
    """A slide of the deck, as somebody would look for it."""

    number: int  # from 1, as the slide itself says
    title: str
    begins: str  # its first words, where another slide has the same title
    across: int
    down: int

    def __str__(self) -> str:
        title = f'"{self.title}"' if self.title else "without a title"
        return f"slide {self.number}, {title}" + (
            f" ({self.begins} ...)" if self.begins else ""
        )


class NeverStarts(Exception):
    """A page that is no deck, or whose scripts are broken."""


def open_deck(page: Page, address: str) -> list[Slide]:
    """Open a deck, wait until it can be used, and return its slides.

    Raises:
        NeverStarts: it cannot be used.
    """
    page.goto(address)
    try:
        page.wait_for_function("!window.Reveal || Reveal.isReady()")
    except TookTooLong:
        raise NeverStarts("reveal.js does not start") from None
    if not page.evaluate("'Reveal' in window"):
        raise NeverStarts("there is no reveal.js in it")
    return slides(page)


def slides(page: Page) -> list[Slide]:
    """Return the slides of the deck in a page, in their order."""
    found = page.evaluate(SLIDES)
    titles = Counter(title for title, *_ in found)
    return [
        Slide(number, title, begins if titles[title] > 1 else "", across, down)
        for number, (title, begins, across, down) in enumerate(found, 1)
    ]


def walk(page: Page) -> Iterator[Slide]:
    """Go through the deck from its beginning, as its speaker does.

    Args:
        page: a deck that is open.

    Yields:
        The slide that is shown, once for each step on it.
    """
    every = slides(page)
    page.evaluate("Reveal.slide(0, 0, -1)")
    while True:
        page.evaluate(ARRIVE)
        yield every[page.evaluate(PRESENT)]
        if not page.evaluate(NEXT):
            return


def show(page: Page, slide: Slide) -> None:
    """Show a slide with all its steps taken."""
    page.evaluate("([h, v]) => Reveal.slide(h, v, Infinity)", [slide.across, slide.down])
    page.evaluate(ARRIVE)


@contextmanager
def alone(page: Page) -> Iterator[None]:
    """Take all slides out of the page but the one that is shown, and put them back.

    What looks at a whole page, hidden or not, is done with one slide ten times as fast.
    """
    page.evaluate(TAKE_OUT)
    try:
        yield
    finally:
        page.evaluate(PUT_BACK)
