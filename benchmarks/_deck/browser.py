"""What a browser tells of a deck: when it is seen, what it asks for, what is wrong with it.

What a deck does is told from what reveal.js makes of the page, in each version of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Page, Request, ViewportSize
from playwright.sync_api import TimeoutError as TookTooLong

from slides.looking import axe, walk

from .internet import Internet
from .packages import CannotCompare

SIZE: ViewportSize = {"width": 1280, "height": 720}
# Milliseconds. Whatever is waited for comes by itself, and much sooner.
LOAD_TIMEOUT = 30_000
# Without a network each request fails at once: a deck that has not started by then never does.
OFFLINE_TIMEOUT = 3_000

READY = "document.querySelector('.reveal.ready') !== null"

# A slide is seen when a frame was painted in which reveal.js is ready and the heading of the
# first slide is visible. That a frame was painted is known when the next one begins.
WATCH = """(() => {
    const visible = () => {
        let slide = document.querySelector('.reveal.ready .slides > section.present');
        slide = slide?.querySelector(':scope > section.present') ?? slide;
        const heading = slide?.querySelector('h1, h2, h3');
        if (!heading?.checkVisibility({opacityProperty: true, visibilityProperty: true}))
            return false;
        const {width, height, top, left, right, bottom} = heading.getBoundingClientRect();
        return width > 0 && height > 0 && bottom > 0 && right > 0
            && top < innerHeight && left < innerWidth;
    };
    window.firstSlide = new Promise(resolve => {
        const look = () => requestAnimationFrame(
            visible() ? () => resolve(performance.now()) : look);
        requestAnimationFrame(look);
        setTimeout(resolve, TIMEOUT, null);
    });
})()"""

# nbconvert's deck loads reveal.js as a module of require.js, and then the page has no global
# variable for it.
GIVE_A_NAME = """() => {
    window.Reveal ??= require(
        document.querySelector('script[src$="/reveal.js"]').dataset.requiremodule);
}"""

NOTES = """() => [...document.querySelectorAll('aside.notes')].filter(notes =>
    notes.checkVisibility({opacityProperty: true, visibilityProperty: true})
    && notes.getBoundingClientRect().height > 0).length"""

# An element that breaks a rule counts once, however often it is found: what is wrong with the
# page itself is found again on each slide.
COUNT = """found => {
    window.faults ??= {};
    for (const [rule, target] of found)
        (window.faults[rule] ??= new Set()).add(document.querySelector(target) ?? target);
}"""
COUNTED = """() => Object.entries(window.faults ?? {})
    .map(([rule, elements]) => [rule, elements.size])
    .sort(([one], [other]) => one < other ? -1 : 1)"""
# The rules that axe leaves off unless it is told otherwise: those of the highest level, those
# on trial, and those that are given up.
LEFT_OFF = """() => axe.getRules(['wcag2aaa', 'wcag22aa', 'experimental', 'deprecated'])
    .map(rule => rule.ruleId)"""


@dataclass(frozen=True)
class Asked:
    """What a deck asks for, with nothing in the cache."""

    requests: int
    hosts: list[str]  # those outside
    refused: list[str]  # addresses that no package has
    bytes_of_the_file: int
    bytes_in_all: int  # as they come over the wire


@dataclass(frozen=True)
class Offline:
    """What a deck does where there is no network."""

    starts: bool
    notes_in_sight: int


@dataclass(frozen=True)
class Faults:
    """How many elements break which rule of axe, on all slides together."""

    slides: int
    by_default: dict[str, int]
    by_every_rule: dict[str, int]


def first_slide(browser: Browser, deck: Path, timeout: int = LOAD_TIMEOUT) -> float:
    """Return after how many milliseconds the first slide is seen, with nothing in the cache.

    Args:
        browser: from `browser_in`.
        deck: the file.
        timeout: how many milliseconds it may take.

    Raises:
        CannotCompare: it takes longer.
    """
    context = browser.new_context(viewport=SIZE)
    try:
        page = context.new_page()
        page.add_init_script(WATCH.replace("TIMEOUT", str(timeout)))
        page.goto(deck.as_uri(), wait_until="commit")
        seen = page.evaluate("window.firstSlide")
    finally:
        context.close()
    if seen is None:
        raise CannotCompare(f"{deck.name} shows no slide within {timeout} ms.")
    return float(seen)


@contextmanager
def opened(
    browser: Browser,
    deck: Path,
    asks: Callable[[Request], None] = lambda _: None,
    offline: bool = False,
) -> Iterator[Page]:
    """Open a deck with nothing in the cache, and wait until it asks for nothing more."""
    context = browser.new_context(viewport=SIZE, offline=offline)
    try:
        page = context.new_page()
        page.on("request", asks)
        page.goto(deck.as_uri(), timeout=LOAD_TIMEOUT)
        page.wait_for_load_state("networkidle", timeout=LOAD_TIMEOUT)
        yield page
    finally:
        context.close()


def asked(browser: Browser, internet: Internet, deck: Path) -> Asked:
    """Open a deck, and return what it asked for."""
    addresses: list[str] = []
    internet.sizes.clear()
    with opened(browser, deck, lambda request: addresses.append(request.url)):
        pass
    inside = deck.parent.as_uri()
    files = [each for each in addresses if each.startswith(inside)]
    outside = [each for each in addresses if urlsplit(each).scheme in ("http", "https")]
    sizes = [internet.sizes.get(each) for each in outside]
    sizes += [_size(deck.parent, each.removeprefix(inside)) for each in files]
    return Asked(
        requests=len(files) + len(outside),
        hosts=sorted({urlsplit(each).netloc for each in outside}),
        refused=[each for each in outside if internet.sizes.get(each) is None],
        bytes_of_the_file=deck.stat().st_size,
        bytes_in_all=sum(size or 0 for size in sizes),
    )


def _size(folder: Path, address: str) -> int:
    """Return the size of a file beside a deck, in bytes; 0 if there is none."""
    path = folder / unquote(urlsplit(address).path).lstrip("/")
    return path.stat().st_size if path.is_file() else 0


def offline(browser: Browser, deck: Path) -> Offline:
    """Open a deck without a network, and return whether it starts, and which notes show."""
    with opened(browser, deck, offline=True) as page:
        try:
            page.wait_for_function(READY, timeout=OFFLINE_TIMEOUT)
            starts = True
        except TookTooLong:
            starts = False
        return Offline(starts, page.evaluate(NOTES))


def faults(browser: Browser, deck: Path) -> Faults:
    """Show each slide of a deck, with all its steps, to axe.

    Raises:
        NoAxe: axe-core was not installed.
    """
    with opened(browser, deck) as page:
        page.wait_for_function(READY, timeout=LOAD_TIMEOUT)
        page.evaluate(GIVE_A_NAME)
        slides = walk.slides(page)
        for slide in slides:
            walk.show(page, slide)
            with walk.alone(page):
                found = axe.audit(page).violations
                page.evaluate(
                    COUNT, [[each.rule, target] for each in found for target in each.targets]
                )
        counted = dict(page.evaluate(COUNTED))
        left_off = page.evaluate(LEFT_OFF)
    by_default = {rule: count for rule, count in counted.items() if rule not in left_off}
    return Faults(len(slides), by_default, counted)
