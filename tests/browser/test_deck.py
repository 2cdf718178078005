"""The deck in a browser that has no network, driven by its keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from slides import deck as decks

SIZE = {"width": 1280, "height": 720}
SECTIONS = ".slides > section > section"

# What lies outside of the screen, and what would have to be scrolled.
OVERFLOW = """() => {
    const found = [];
    for (const element of Reveal.getCurrentSlide().querySelectorAll('*')) {
        const box = element.getBoundingClientRect();
        const name = element.tagName + ': ' + element.textContent.trim().slice(0, 60);
        if (box.width && (box.left < 0 || box.top < 0 || box.right > 1280 || box.bottom > 720))
            found.push(name);
        if (element.tagName === 'PRE' && (element.scrollHeight > element.clientHeight + 1
                || element.scrollWidth > element.clientWidth + 1))
            found.push('scrolls, ' + name);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return decks.build(output=tmp_path_factory.mktemp("deck") / "deck.html")


class Watched:
    """A page, with what it asked for and complained about."""

    def __init__(self, page: Page, deck: Path) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(deck.as_uri())
        page.wait_for_function("Reveal.isReady()")

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=SIZE, offline=True)
    yield context
    context.close()


@pytest.fixture
def watched(context: BrowserContext, deck: Path) -> Watched:
    return Watched(context.new_page(), deck)


def test_the_keyboard_goes_through_all_slides_and_every_one_fits(
    watched: Watched, deck: Path
) -> None:
    page = watched.page
    steps, seen, overflow = [], set(), []
    while True:
        steps.append(page.evaluate("JSON.stringify(Reveal.getState())"))
        seen.add(
            page.evaluate(
                f"[...document.querySelectorAll('{SECTIONS}')]"
                ".indexOf(Reveal.getCurrentSlide())"
            )
        )
        overflow += [(len(seen), what) for what in page.evaluate(OVERFLOW)]
        assert page.locator("aside.notes:visible").count() == 0
        page.keyboard.press("Space")
        if page.evaluate("JSON.stringify(Reveal.getState())") == steps[-1]:
            break

    assert seen == set(range(page.locator(SECTIONS).count()))
    assert len(steps) == len(seen) + page.locator(".fragment").count()
    assert not overflow
    assert watched.requests == [deck.as_uri()]
    assert not watched.complaints


def test_all_pictures_are_shown(watched: Watched) -> None:
    sizes = watched.page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert sizes and all(sizes)


def test_the_speaker_view_works_without_a_network(watched: Watched, deck: Path) -> None:
    page = watched.page
    page.keyboard.press("ArrowRight")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    outside: list[str] = []
    speaker.on("request", lambda request: outside.append(request.url))
    speaker.wait_for_function(
        "document.querySelector('.speaker-controls-notes .value').textContent.includes('Ask:')"
    )
    speaker.wait_for_function("document.querySelectorAll('iframe').length === 2")
    assert "This was the speaker of 2013" in speaker.inner_text(".speaker-controls-notes")
    here = [deck.as_uri(), "about:", "data:"]
    assert not [url for url in outside if not url.startswith(tuple(here))]
    assert page.locator("aside.notes:visible").count() == 0


def test_without_scripts_the_slides_can_be_read_and_the_notes_cannot(
    browser: Browser, deck: Path
) -> None:
    context = browser.new_context(viewport=SIZE, offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(deck.as_uri())
    slides = page.locator(SECTIONS)
    boxes = [box for slide in slides.all() if (box := slide.bounding_box())]
    assert len(boxes) == slides.count()
    for above, below in pairwise(boxes):
        assert above["height"] > 40 and below["y"] >= above["y"] + above["height"] - 1
    for text in ("h1", "h2", "h3", "pre", ".fragment"):
        assert all(found.is_visible() for found in page.locator(f".slides {text}").all())
    notes = page.locator("aside.notes")
    assert notes.count() == slides.count()
    assert not any(note.is_visible() for note in notes.all())
    context.close()
