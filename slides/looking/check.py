"""Looks at a deck as an audience will see it, and says what is wrong, slide by slide."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Error, JSHandle, Page, Request

from slides.looking import addresses, walk
from slides.looking.browser import chromium

# The smallest letters allowed, in pixels of the screen. Code may be smaller, since most of it
# is recognised by its shape.
SMALLEST = {"text": 24, "code": 18}
# The smallest letters for who reads the talk on a phone, which is nearer.
SMALLEST_TO_READ = 16

# How many slides the notebook has, which `slides.making.deck` writes into the deck.
IN_NOTEBOOK = "document.querySelector('.slides').dataset.slides"

# How long the talk takes, in seconds, and how long it may.
SECONDS = """() => Reveal.getSlides()
    .reduce((sum, slide) => sum + Number(slide.dataset.timing ?? 0), 0)"""
MOST_SECONDS = 30 * 60

# What is looked at by a script in the page.
PROBES = files("slides.looking") / "check.js"
PROBE = "([probes, smallest]) => [...probes.layout(smallest), ...probes.content()]"
PROBE_TO_READ = "([probes, smallest]) => probes.reading(smallest)"


class Report:
    """What was found in a deck.

    Attributes:
        slides: how many slides were looked at.
        sizes: at which sizes of the screen, such as "1280×720".
    """

    def __init__(self) -> None:
        self.slides = 0
        self.sizes: list[str] = []
        self._found: dict[tuple[int, str], dict[str, str]] = {}

    def add(
        self, slide: walk.Slide | None, complaint: str, size: str, amount: str = ""
    ) -> None:
        """Add a complaint; the same one at several sizes is put together.

        Args:
            slide: which slide it is about; None if about the deck as a whole.
            complaint: what is wrong.
            size: the size of the screen at which this was found.
            amount: by how much at that size, such as "12 px", if that can be said.
        """
        key = (slide.number if slide else 0, f"{slide or 'the deck'}: {complaint}")
        self._found.setdefault(key, {})[size] = amount

    @property
    def complaints(self) -> list[str]:
        """The complaints in the order of the slides, each with the sizes at which it holds."""
        in_order = sorted(self._found.items(), key=lambda found: found[0][0])
        return [f"{complaint} ({_at_sizes(amounts)})" for (_, complaint), amounts in in_order]


def _at_sizes(amounts: dict[str, str]) -> str:
    if any(amounts.values()):
        return listed([f"{amount} at {size}" for size, amount in amounts.items()])
    return f"at {listed([*amounts])}"


def listed(names: list[str]) -> str:
    """Return names as they stand in a sentence: "one, two and three"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def check(deck: Path) -> Report:
    """Look at each step of each slide, in a browser without a network, and at what one reads.

    Args:
        deck: the file that `slides.making.deck.build` wrote; its path is absolute.

    Returns:
        What was found.

    Raises:
        NoBrowser: there is no Chromium on this machine that starts.
    """
    report = Report()
    with chromium() as browser:
        for size in walk.SIZES:
            _look(browser, deck, size, report)
        for size in walk.READING_SIZES:
            _read(browser, deck, size, report)
    return report


class _Watched:
    """A page of some size, whose requests and complaints are added to a report.

    Attributes:
        at: its size, such as "1280×720".
        page: the page.
        shown: the slide that is looked at, which the browser complains about.
    """

    def __init__(
        self, browser: Browser, deck: Path, size: tuple[int, int], report: Report
    ) -> None:
        width, height = size
        self.at = f"{width}×{height}"
        self.shown: walk.Slide | None = None
        report.sizes.append(self.at)
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True, reduced_motion="reduce"
        )
        self.page = self.context.new_page()

        def on_request(request: Request) -> None:
            if not request.url.startswith((deck.as_uri(), "data:", "blob:", "about:")):
                # reveal.js loads ahead for the next slides: the slide shown is not the cause.
                report.add(None, f"the browser asks for {request.url}", self.at)

        def on_console(message: ConsoleMessage) -> None:
            # on_request has complained of a resource that was not loaded.
            if message.type == "error" and not message.text.startswith(
                "Failed to load resource"
            ):
                report.add(self.shown, f"the browser says: {message.text}", self.at)

        def on_error(error: Error) -> None:
            report.add(self.shown, f"the browser says: {error}", self.at)

        self.page.on("request", on_request)
        self.page.on("console", on_console)
        self.page.on("pageerror", on_error)

    def probes(self) -> JSHandle:
        """Return the functions of `check.js`."""
        return self.page.evaluate_handle(PROBES.read_text(encoding="utf-8"))


def _look(browser: Browser, deck: Path, size: tuple[int, int], report: Report) -> None:
    watched = _Watched(browser, deck, size, report)
    page, at = watched.page, watched.at
    try:
        slides = walk.open_deck(page, deck.as_uri())
    except walk.NeverStarts as reason:
        report.add(None, str(reason), at)
        return
    report.slides = len(slides)
    # Unbalanced tags in a cell can take the slides behind it out of the deck.
    if (in_notebook := page.evaluate(IN_NOTEBOOK)) != str(len(slides)):
        report.add(None, f"slides: {len(slides)}, and in the notebook {in_notebook}", at)
    if (seconds := page.evaluate(SECONDS)) > MOST_SECONDS:
        report.add(None, f"the talk takes {seconds // 60}:{seconds % 60:02}, and has 30:00", at)
    for slide, address in _fetched(page, slides, deck):
        report.add(slide, f"{address} is not in the file", at)
    probes = watched.probes()
    for watched.shown in walk.walk(page):
        for complaint, amount in page.evaluate(PROBE, [probes, SMALLEST]):
            report.add(watched.shown, complaint, at, amount)
    watched.context.close()


def _read(browser: Browser, deck: Path, size: tuple[int, int], report: Report) -> None:
    watched = _Watched(browser, deck, size, report)
    try:
        slides = walk.open_to_read(watched.page, deck.as_uri())
    except walk.NeverStarts as reason:
        report.add(None, str(reason), watched.at)
        return
    found = watched.page.evaluate(PROBE_TO_READ, [watched.probes(), SMALLEST_TO_READ])
    for number, complaint, amount in found:
        report.add(slides[number], f"to read, {complaint}", watched.at, amount)
    watched.context.close()


def _fetched(
    page: Page, slides: list[walk.Slide], deck: Path
) -> Iterator[tuple[walk.Slide | None, str]]:
    """Yield the addresses in a deck that a browser would fetch, each with its slide.

    What stands on no slide, as in a style sheet of the deck, comes last and with None.
    """
    on_no_slide = addresses.fetched(deck.read_text(encoding="utf-8"))
    parts = page.evaluate(f"{walk.ALL}.map(slide => slide.outerHTML)")
    for slide, html in zip(slides, parts, strict=True):
        for address in addresses.fetched(html):
            yield slide, address
            if address in on_no_slide:
                on_no_slide.remove(address)
    yield from ((None, address) for address in on_no_slide)
