"""The deck in a browser that has no network, driven by its keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import compress, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route
from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

from loopfilm import running_apart
from slides.looking import walk

SIZE = {"width": 1280, "height": 720}
SECTIONS = ".slides > section > section"


# Where the deck is, and how many notes the audience could read.
STEP = f"""() => [({walk.PRESENT})(), JSON.stringify(Reveal.getState()),
    [...document.querySelectorAll('aside.notes')].filter(each => each.checkVisibility()).length]
"""


class Step(NamedTuple):
    """What is shown, from one key to the next."""

    slide: int
    state: str
    notes: int


class Watched:
    """A page with the deck, what it asked for, and what the browser complained about."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", self.hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page = context.new_page()
        self.slides = walk.open_deck(self.page, address)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def asked_elsewhere(self) -> list[str]:
        inside = (self.address, "data:", "blob:", "about:")
        return [url for url in self.requests if not url.startswith(inside)]


class Served(RequestHandler):
    """The deck as a web server gives it."""

    def initialize(self, deck: Path, requests: list[HTTPServerRequest]) -> None:
        self.deck = deck
        requests.append(self.request)

    def get(self) -> None:
        self.write(self.deck.read_bytes())


@contextmanager
def over_http(
    browser: Browser, deck: Path, asked: list[HTTPServerRequest]
) -> Iterator[Watched]:
    """Open the deck from a server of this machine, and let nothing else be reached."""
    arguments = {"deck": deck, "requests": asked}
    with running_apart(Application([(r"/.*", Served, arguments)])) as url:

        def only_here(route: Route) -> None:
            if route.request.url.startswith(url):
                route.continue_()
            else:
                route.abort()

        context = browser.new_context(viewport=SIZE)
        context.route("**/*", only_here)
        yield Watched(context, f"{url}/deck.html")
        context.close()


@pytest.fixture(scope="module")
def asked() -> list[HTTPServerRequest]:
    """What the server of the deck was asked for."""
    return []


@pytest.fixture(scope="module", params=["file", "http"])
def watched(
    request: pytest.FixtureRequest,
    browser: Browser,
    deck: Path,
    asked: list[HTTPServerRequest],
) -> Iterator[Watched]:
    """Open the deck from the disk, and then from a server."""
    if request.param == "http":
        with over_http(browser, deck, asked) as watched:
            yield watched
    else:
        context = browser.new_context(viewport=SIZE, offline=True)
        yield Watched(context, deck.as_uri())
        context.close()


@pytest.fixture
def page(browser: Browser, deck: Path) -> Iterator[Page]:
    """The deck from the disk, in a page of the test's own."""
    context = browser.new_context(viewport=SIZE, offline=True)
    page = context.new_page()
    walk.open_deck(page, deck.as_uri())
    yield page
    context.close()


# What the keyboard does is the same wherever the deck comes from.
from_the_disk = pytest.mark.parametrize("watched", ["file"], indirect=True)


# -- all of it --------------------------------------------------------------------------------


@from_the_disk
def test_the_keyboard_goes_through_all_slides_and_back(watched: Watched) -> None:
    page = watched.page
    page.evaluate("Reveal.slide(0, 0, -1)")

    def steps_with(key: str) -> Iterator[Step]:
        now = Step(*page.evaluate(STEP))
        while True:
            yield now
            page.keyboard.press(key)
            before, now = now, Step(*page.evaluate(STEP))
            if now == before:
                return

    forward = list(steps_with("Space"))
    steps = page.evaluate(
        """Reveal.getSlides().map(slide => 1 + new Set([...slide.querySelectorAll('.fragment')]
               .map(each => each.dataset.fragmentIndex)).size)"""
    )
    slides = [number for number, count in enumerate(steps) for _ in range(count)]
    assert [step.slide for step in forward] == slides
    assert list(steps_with("Shift+Space")) == forward[::-1]
    assert {step.notes for step in forward} == {0}


@from_the_disk
def test_each_step_shows_what_the_one_before_has_hidden(watched: Watched) -> None:
    page = watched.page
    before: list[Any] = [None, 0]
    for slide in walk.walk(page):
        shown = page.evaluate(
            "[...Reveal.getCurrentSlide().querySelectorAll('.fragment')]"
            ".filter(each => each.checkVisibility({opacityProperty: true})).length"
        )
        assert shown > before[1] if slide is before[0] else shown == 0, slide
        before = [slide, shown]


def test_all_pictures_are_shown(watched: Watched) -> None:
    page, shown = watched.page, 0
    for slide in watched.slides:
        walk.show(page, slide)
        sizes = page.evaluate(
            """() => [...Reveal.getCurrentSlide().querySelectorAll('img, [role=img]')]
                .filter(each => each.checkVisibility() && each.naturalWidth !== 0)
                .map(each => Math.min(each.clientWidth, each.clientHeight))"""
        )
        assert all(size > 50 for size in sizes), slide
        shown += len(sizes)
    assert shown == page.locator(".slides :is(img, [role=img])").count() > 0


def test_the_speaker_view_works_without_a_network(watched: Watched) -> None:
    page = watched.page
    walk.show(page, watched.slides[1])
    notes = page.locator("section.present aside.notes").text_content() or ""
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    first_words = " ".join(notes.split()[:4])
    speaker.wait_for_function(
        "words => document.querySelector('.speaker-controls-notes .value')"
        ".textContent.replace(/\\s+/g, ' ').includes(words)",
        arg=first_words,
    )
    speaker.wait_for_function("document.querySelectorAll('iframe').length === 2")
    for frame in speaker.frames[1:]:
        frame.wait_for_function("window.Reveal?.isReady()")
        assert frame.locator("aside.notes:visible").count() == 0

    # What the speaker does is done before the audience.
    speaker.keyboard.press("ArrowRight")
    page.wait_for_function(f"({walk.PRESENT})() === 2")
    assert page.locator("aside.notes:visible").count() == 0
    speaker.close()


def test_no_notes_are_below_the_edge_of_the_speaker_view(page: Page) -> None:
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    speaker.set_viewport_size(SIZE)
    speaker.wait_for_function("document.querySelectorAll('iframe').length === 2")
    for frame in speaker.frames[1:]:
        frame.wait_for_function("window.Reveal?.isReady()")
    words = speaker.locator(".speaker-controls-notes .value")
    notes = page.locator("aside.notes").evaluate_all("all => all.map(each => each.innerHTML)")
    assert len(notes) > 20
    found = words.evaluate(
        """async (words, notes) => {
            const around = words.closest('#speaker-controls');
            const found = [];
            for (const html of notes) {
                words.innerHTML = html;
                await new Promise(requestAnimationFrame);
                const letters = parseFloat(getComputedStyle(words).fontSize);
                found.push([around.scrollHeight, around.clientHeight, letters]);
            }
            return found;
        }""",
        notes,
    )
    for html, (height, room, letters) in zip(notes, found, strict=True):
        assert height <= room and letters >= 18, html


# After the tests above, which share its pages: whatever they did counts.
def test_nothing_is_asked_for_but_the_deck(
    watched: Watched, asked: list[HTTPServerRequest]
) -> None:
    assert watched.asked_elsewhere() == []
    assert watched.complaints == []
    assert {request.path for request in asked} <= {"/deck.html"}
    assert bool(asked) == watched.address.startswith("http")


def test_a_request_and_a_complaint_would_have_been_seen(browser: Browser, deck: Path) -> None:
    context = browser.new_context(viewport=SIZE, offline=True)
    watched = Watched(context, deck.as_uri())
    watched.page.evaluate("fetch('http://127.0.0.1:9/').catch(() => console.warn('alas'))")
    assert watched.asked_elsewhere() == ["http://127.0.0.1:9/"]
    assert "alas" in watched.complaints
    context.close()


# -- without scripts --------------------------------------------------------------------------


# For each element whether it can be seen, where it begins, and how high it is, in pixels.
SEEN = """all => all.map(element => {
    const {top, width, height} = element.getBoundingClientRect();
    const isSeen = element.checkVisibility({visibilityProperty: true}) && width * height > 0;
    return [isSeen, top, height];
})"""


def test_without_scripts_the_slides_can_be_read_and_the_notes_cannot(
    browser: Browser, deck: Path
) -> None:
    context = browser.new_context(viewport=SIZE, offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(deck.as_uri())
    slides = page.locator(SECTIONS).evaluate_all(SEEN)
    assert len(slides) > 20
    assert all(is_seen and height > 40 for is_seen, _, height in slides)
    for (_, top, height), (_, below, _) in pairwise(slides):
        assert below >= top + height - 1
    for text in ("h1", "h2", "h3", "pre", ".fragment", "[role=img]"):
        for is_seen, *_ in page.locator(f".slides {text}").evaluate_all(SEEN):
            assert is_seen, text
    notes = page.locator("aside.notes").evaluate_all(SEEN)
    assert len(notes) == len(slides)
    assert not any(is_seen for is_seen, *_ in notes)
    context.close()


# -- the focus --------------------------------------------------------------------------------

# Where the focus is, whether that can be seen, and whether it looks as without the focus.
FOCUS = """() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    const looks = () => {
        const style = getComputedStyle(element);
        const ring = style.outlineStyle === 'none' || parseFloat(style.outlineWidth) === 0
            ? '' : [style.outlineStyle, style.outlineWidth, style.outlineColor].join(' ');
        return [ring, style.boxShadow, style.borderColor, style.backgroundColor].join('; ');
    };
    const focused = looks();
    const box = element.getBoundingClientRect();
    element.blur();
    const without = looks();
    element.focus({focusVisible: true, preventScroll: true});
    const faults = [];
    const slide = element.closest('.slides section:not(.stack)');
    if (slide && slide !== Reveal.getCurrentSlide()) faults.push('on another slide');
    if (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight
        || !box.width || !box.height) faults.push('out of sight');
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true}))
        faults.push('invisible');
    if (focused === without) faults.push('without a sign');
    return [element.outerHTML.replace(/\\s+/g, ' ').slice(0, 80), faults];
}"""


def faults_of_focus(page: Page) -> tuple[int, list[str]]:
    """Tab through what is shown: how many stops there are, and what is wrong with them."""
    page.evaluate("document.activeElement.blur()")
    stops: set[str] = set()
    faults: list[str] = []
    while True:
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUS)
        if found is None:
            if stops:
                return len(stops), faults
            continue
        what, wrong = found
        if what in stops:
            return len(stops), faults
        stops.add(what)
        faults += [f"{what}: {each}" for each in wrong]


# Which slides have something on them that can have the focus.
WITH_STOPS = f"""() => {walk.ALL}
    .map(slide => slide.querySelector('a, button, summary, [tabindex]') !== null)"""


@pytest.mark.parametrize("shape", ["wide", "4:3"])
def test_the_focus_is_always_seen_and_on_the_slide_that_is_shown(
    page: Page, shape: str
) -> None:
    slides = walk.slides(page)
    if shape == "4:3":
        page.set_viewport_size({"width": 1024, "height": 768})
        # What is around the slides is the same for all.
        slides = [*compress(slides, page.evaluate(WITH_STOPS))]
    found, most = [], 0
    for slide in slides:
        walk.show(page, slide)
        number, faults = faults_of_focus(page)
        most = max(most, number)
        found += [f"{slide}: {fault}" for fault in faults]
    assert found == []
    assert most > 2


@pytest.mark.parametrize(
    ("style", "fault"),
    [
        (":focus { outline: none !important }", "without a sign"),
        (".slides a { position: relative; left: -3000px }", "out of sight"),
        (".slides a { opacity: 0 }", "invisible"),
        (
            ".slides section { visibility: visible !important;"
            " content-visibility: visible !important }",
            "on another slide",
        ),
    ],
)
def test_a_focus_that_cannot_be_seen_would_have_been_found(
    page: Page, style: str, fault: str
) -> None:
    [linked, *_] = [
        index
        for index, slide in enumerate(walk.slides(page))
        if page.evaluate(
            f"document.querySelectorAll('{SECTIONS}')[{index}].querySelectorAll('a').length"
        )
    ]
    walk.show(page, walk.slides(page)[linked])
    page.add_style_tag(content=style)
    assert any(fault in each for each in faults_of_focus(page)[1])
