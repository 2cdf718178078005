"""Look at a deck as a room will see it, and say what is wrong, slide by slide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from slides.looking import addresses, walk
from slides.looking.browser import chromium

# Pixels of the screen. Code may be smaller, since most of it is known by its shape.
LEAST = {"text": 24, "code": 18}

WANTED = "document.querySelector('.slides').dataset.slides"

PROBES = Path(__file__).with_suffix(".js")


class Report:
    """What was found: the complaints, each with the sizes of the screen at which it holds."""

    def __init__(self) -> None:
        self.slides = 0
        self.sizes: list[str] = []
        self._found: dict[tuple[int, str], dict[str, str]] = {}

    def add(self, slide: walk.Slide | None, complaint: str, size: str, much: str = "") -> None:
        """Keep a complaint about a slide, or about the deck, and by how much at which size."""
        key = (slide.number if slide else 0, f"{slide or 'the deck'}: {complaint}")
        self._found.setdefault(key, {})[size] = much

    @property
    def complaints(self) -> list[str]:
        """The complaints, in the order of the slides."""
        in_order = sorted(self._found.items(), key=lambda found: found[0][0])
        return [f"{complaint} ({_seen(sizes)})" for (_, complaint), sizes in in_order]


def _seen(sizes: dict[str, str]) -> str:
    if any(sizes.values()):
        return listed([f"{much} at {size}" for size, much in sizes.items()])
    return f"at {listed([*sizes])}"


def listed(names: list[str]) -> str:
    """Return names as they stand in a sentence."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def check(deck: Path) -> Report:
    """Look at each step of each slide, in a browser without a network, at three sizes.

    Args:
        deck: what `slides.making.deck.build` made.

    Returns:
        What was found.

    Raises:
        NoBrowser: there is no Chromium on this machine.
    """
    report = Report()
    with chromium() as browser:
        for size in walk.SIZES:
            _look(browser, deck, size, report)
    return report


def _look(browser: Browser, deck: Path, size: tuple[int, int], report: Report) -> None:
    width, height = size
    at = f"{width}×{height}"
    report.sizes.append(at)
    context = browser.new_context(
        viewport={"width": width, "height": height}, offline=True, reduced_motion="reduce"
    )
    page = context.new_page()
    shown: walk.Slide | None = None

    def asks(request: Request) -> None:
        if not request.url.startswith((deck.as_uri(), "data:", "blob:", "about:")):
            # reveal.js asks for what the next slides need, so that nobody knows for which.
            report.add(None, f"the browser asks for {request.url}", at)

    def hears(message: ConsoleMessage) -> None:
        # A request that failed has its complaint already.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            report.add(shown, f"the browser says: {message.text}", at)

    page.on("request", asks)
    page.on("console", hears)
    page.on("pageerror", lambda error: report.add(shown, f"the browser says: {error}", at))
    try:
        slides = walk.open_deck(page, deck.as_uri())
    except walk.NeverStarts as reason:
        report.add(None, str(reason), at)
        return
    report.slides = len(slides)
    # What is not closed in a cell can take the slides behind it along, and nobody would see it.
    if (wanted := page.evaluate(WANTED)) != str(len(slides)):
        report.add(None, f"slides: {len(slides)}, and in the notebook {wanted}", at)
    for slide, address in _addresses(page, slides, deck):
        report.add(slide, f"{address} is not in the file", at)
    probes = page.evaluate_handle(PROBES.read_text(encoding="utf-8"))
    for shown in walk.walk(page):
        for complaint, much in page.evaluate(
            "([probes, least]) => [...probes.looks(least), ...probes.says()]", [probes, LEAST]
        ):
            report.add(shown, complaint, at, much)
    context.close()


def _addresses(
    page: Page, slides: list[walk.Slide], deck: Path
) -> Iterator[tuple[walk.Slide | None, str]]:
    """Give the addresses outside of the deck that stand in it, and on which slide."""
    left = addresses.addresses(deck.read_text(encoding="utf-8"))
    parts = page.evaluate("Reveal.getSlides().map(slide => slide.outerHTML)")
    for slide, html in zip(slides, parts, strict=True):
        for address in addresses.addresses(html):
            yield slide, address
            if address in left:
                left.remove(address)
    yield from ((None, address) for address in left)
