"""The pages beside the deck in a browser: desk and phone, day and night, keyboard, paper."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pypdf
import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route
from tornado.web import Application, StaticFileHandler

from loopfilm import running_apart
from tests.built import the_pages

from .conftest import LIGHT, Opener
from .reading import DESK, PHONE, UNFOLD, all_of, show

# The least contrast of the words on a page with what is painted below them, and the words. What
# is below an element is asked for once, and so is the contrast of two colours.
CONTRAST = (
    f"""() => {{{LIGHT}"""
    + """
    const remember = (known, key, find) => {
        if (!known.has(key)) known.set(key, find());
        return known.get(key);
    };
    const grounds = new Map();
    const ground = element => remember(grounds, element, () => {
        const {backgroundColor} = getComputedStyle(element);
        return rgba(backgroundColor)[3] < 255 ? ground(element.parentElement) : backgroundColor;
    });
    const pairs = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let least = [Infinity, ''];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || !element.checkVisibility()) continue;
        const [words, below] = [getComputedStyle(element).color, ground(element)];
        const found = remember(pairs, `${words} ${below}`, () => contrast(words, below));
        if (found < least[0]) least = [found, node.data.trim()];
    }
    return least;
}"""
)

# After each key notes which element has the focus, and whether that can be seen. A key that is
# let up has done what it does. Returns the kind of each stop: what a style sheet may go by.
NOTE_FOCUS = """() => {
    const all = document.querySelectorAll('a[href], summary, [tabindex="0"]');
    const stops = window.stops = [...all].filter(each => each.checkVisibility());
    window.noted = [];
    addEventListener('keyup', () => {
        const element = document.activeElement;
        const {outlineStyle, outlineWidth} = getComputedStyle(element);
        const {left, top, right, bottom} = element.getBoundingClientRect();
        window.noted.push({
            place: stops.indexOf(element),
            ring: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
            seen: right > 0 && bottom > 0 && left < innerWidth && top < innerHeight,
            says: element.textContent.trim(),
        });
    });
    const kind = element => element === document.body ? ''
        : `${kind(element.parentElement)} ${element.tagName}.${element.className}`;
    return stops.map(kind);
}"""

WIDTH = "document.documentElement.scrollWidth"

SIZES = {"desk": DESK, "phone": PHONE}
# How wide a page can be, in pixels, and how large its letters.
ROOMS = [(320, "100%"), (640, "200%"), (640, "100%")]


class Looked(NamedTuple):
    """What a page is like in each light and size, and how wide it is in each room."""

    contrasts: dict[tuple[str, str], tuple[float, str]]
    widths: dict[tuple[int, str], int]


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest) -> Path:
    """The pages, beside something in the place of the deck."""
    return the_pages(request)


@pytest.fixture(scope="module")
def looked(browser: Browser, folder: Path) -> dict[str, Looked]:
    """Open each page once, which takes longest, and measure it in each way."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    found = {}
    for path in all_of(folder):
        show(page, path)
        contrasts, widths = {}, {}
        for name, size in SIZES.items():
            page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                least, words = page.evaluate(CONTRAST)
                contrasts[scheme, name] = (least, words)
        for width, letters in ROOMS:
            page.set_viewport_size({"width": width, "height": 600})
            page.evaluate(
                "size => { document.documentElement.style.fontSize = size; }", letters
            )
            widths[width, letters] = page.evaluate(WIDTH)
        found[path.name] = Looked(contrasts, widths)
    context.close()
    return found


# -- what a page asks for, and where it leads -------------------------------------------------


class Asked:
    """What a browser asked for, and what it complained about."""

    def __init__(self, page: Page) -> None:
        self.urls: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self.note)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def note(self, request: Request) -> None:
        if not request.url.startswith("data:"):
            self.urls.append(request.url)


def follow(page: Page, link: Locator) -> None:
    """Follow a link, and wait until all of the page is there: its own links are at its end."""
    with page.expect_event("load"):
        link.click()


def read_on(page: Page) -> Iterator[str]:
    """Go from the index through each notebook to the last one and back, as a reader does."""
    index = page.title()
    follow(page, page.locator(".lessons a").first)
    yield page.url
    while (after := page.locator("a[rel=next]")).count():
        follow(page, after)
        yield page.url
    follow(page, page.locator("a[rel=up]"))
    assert page.title() == index


def read_all(page: Page, base: str, first: str, folder: Path) -> None:
    """Read all pages below an address, of which each may ask for itself only."""
    asked = Asked(page)
    page.goto(first)
    notebooks = []
    for url in read_on(page):
        notebooks.append(url)
        page.evaluate(UNFOLD)
    names = [path.relative_to(folder).as_posix() for path in all_of(folder)]
    assert notebooks == [f"{base}/{name}" for name in names if name.startswith("notebooks/")]
    rest = [f"{base}/{name}" for name in names if not name.startswith("notebooks/")]
    for url in rest:
        page.goto(url)
        page.evaluate(UNFOLD)
    index = f"{base}/index.html"
    assert asked.urls == [first, *notebooks, index, *rest]
    assert index in rest and asked.complaints == []


def test_from_a_folder_a_page_asks_for_itself_only(opened: Opener, folder: Path) -> None:
    base = folder.as_uri()
    read_all(opened(), base, f"{base}/index.html", folder)


def test_from_a_server_a_page_asks_for_itself_only(browser: Browser, folder: Path) -> None:
    arguments = {"path": str(folder), "default_filename": "index.html"}
    with running_apart(Application([(r"/stormy/(.*)", StaticFileHandler, arguments)])) as url:

        def only_here(route: Route) -> None:
            if route.request.url.startswith(url):
                route.continue_()
            else:
                route.abort()

        context = browser.new_context()
        context.route("**/*", only_here)
        read_all(context.new_page(), f"{url}/stormy", f"{url}/stormy/", folder)
        context.close()


def test_a_page_that_asks_for_something_else_is_found(
    opened: Opener, folder: Path, tmp_path: Path
) -> None:
    html = (folder / "index.html").read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(html.replace("</main>", '<img src="gone.png" alt=""></main>'), "utf-8")
    page = opened()
    asked = Asked(page)
    show(page, broken)
    assert len(asked.urls) == 2 and len(asked.complaints) == 1


# -- colours ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_stand_out(looked: dict[str, Looked], scheme: str, size: str) -> None:
    for name, page in looked.items():
        least, words = page.contrasts[scheme, size]
        assert least >= 7, f"{name}: {words}"


def test_words_that_do_not_stand_out_are_found(opened: Opener, folder: Path) -> None:
    page = opened(color_scheme="dark")
    page.set_content('<body style="background: #111"><p>No.</p><p style="color: #eee">Yes.</p>')
    least, words = page.evaluate(CONTRAST)
    assert least < 7 and words == "No."


def test_what_goes_in_and_what_comes_out_differ_in_shape(opened: Opener, folder: Path) -> None:
    page = opened(forced_colors="active")
    show(page, folder / "notebooks" / "01_callbacks.html")
    edges = """selector => {
        const style = getComputedStyle(document.querySelector(selector));
        return ['Top', 'Right', 'Bottom', 'Left'].map(side => style[`border${side}Style`]);
    }"""
    assert page.evaluate(edges, ".in .code") == ["solid"] * 4
    assert page.evaluate(edges, ".out") == ["none", "none", "none", "solid"]


# -- little room ------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "letters"), ROOMS)
def test_no_page_has_to_be_scrolled_sideways(
    looked: dict[str, Looked], width: int, letters: str
) -> None:
    for name, page in looked.items():
        assert page.widths[width, letters] <= width, name


def test_what_is_too_wide_is_found(opened: Opener, folder: Path) -> None:
    page = opened(viewport={"width": 320, "height": 600})
    page.goto((folder / "index.html").as_uri())
    page.add_style_tag(content="h1 { white-space: nowrap; }")
    assert page.evaluate(WIDTH) > 320


def test_long_code_goes_on_below_its_own_beginning(opened: Opener, folder: Path) -> None:
    page = opened(viewport={"width": 320, "height": 600})
    show(page, folder / "notebooks" / "01_callbacks.html")
    begins, goes_on = page.evaluate(
        """() => {
            const line = [...document.querySelectorAll('.code > code > span')].find(
                each => each.textContent.startsWith('        self.write(self.get_argument'));
            const [first, ...others] = [...line.querySelectorAll('span:not(.w)')]
                .map(token => token.getClientRects()[0]);
            const below = others.filter(token => token.top >= first.bottom);
            return [first.left, below.map(token => token.left)];
        }"""
    )
    assert goes_on and min(goes_on) > begins


# -- the keyboard -----------------------------------------------------------------------------


def assert_seen(noted: list[dict[str, Any]], places: list[int], name: str) -> None:
    assert [focus["place"] for focus in noted] == places, name
    unseen = [focus["says"] for focus in noted if not (focus["ring"] and focus["seen"])]
    assert unseen == [], name


def test_the_keyboard_goes_through_a_page_in_its_order_and_is_seen(
    opened: Opener, folder: Path
) -> None:
    page = opened(viewport=PHONE)
    for path in all_of(folder):
        page.goto(path.as_uri())
        stops = page.evaluate(NOTE_FOCUS)
        for _ in stops:
            page.keyboard.press("Tab")
        noted = page.evaluate("noted")
        assert noted[0]["says"] == "Skip to the text"
        assert_seen(noted, [*range(len(stops))], path.name)


# The order is that of a phone, and of stops that have the same style one is enough.
def test_each_kind_of_stop_is_seen_at_a_desk(opened: Opener, folder: Path) -> None:
    page = opened(viewport=DESK)
    kinds: set[str] = set()
    for path in all_of(folder):
        page.goto(path.as_uri())
        places = []
        for place, kind in enumerate(page.evaluate(NOTE_FOCUS)):
            if kind in kinds:
                continue
            kinds.add(kind)
            places.append(place)
            if place:
                page.evaluate("place => stops[place].focus()", place - 1)
            page.keyboard.press("Tab")
        assert_seen(page.evaluate("noted"), places, path.name)
    assert len(kinds) > 10


@pytest.mark.parametrize(
    "fault", ["outline: none !important", "position: fixed !important; left: -99em !important"]
)
def test_a_stop_that_is_not_seen_is_found(opened: Opener, folder: Path, fault: str) -> None:
    page = opened(viewport=DESK)
    page.goto((folder / "handout.html").as_uri())
    page.add_style_tag(content=f":focus {{ {fault} }}")
    page.evaluate(NOTE_FOCUS)
    page.keyboard.press("Tab")
    with pytest.raises(AssertionError):
        assert_seen(page.evaluate("noted"), [0], "handout.html")


def test_the_first_stop_leads_round_the_links(opened: Opener, folder: Path) -> None:
    page = opened()
    page.goto((folder / "notebooks" / "02_coroutines.html").as_uri())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_what_is_folded_and_what_is_wide_can_be_reached_by_keyboard(
    opened: Opener, folder: Path
) -> None:
    page = opened(viewport=PHONE)
    page.goto((folder / "notebooks" / "01_callbacks.html").as_uri())
    film = page.get_by_role("region", name="Picture 1", exact=True)
    assert film.count() == 0
    page.locator("#blocking-run summary").focus()
    page.keyboard.press("Enter")
    film.wait_for()
    page.keyboard.press("Tab")
    assert film.evaluate("film => film === document.activeElement")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


# -- paper ------------------------------------------------------------------------------------


def test_on_paper_nothing_is_folded_and_nothing_is_left_of_the_screen(
    opened: Opener, folder: Path
) -> None:
    page = opened(color_scheme="dark")
    page.goto((folder / "notebooks" / "01_callbacks.html").as_uri())
    sheets = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    text = " ".join(" ".join(sheet.extract_text() for sheet in sheets).split())
    assert "It was: 400" in text and 'answer = "c"' in text
    assert "Skip to the text" not in text and "On this page" not in text
    page.emulate_media(media="print")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_handout_is_two_pages_and_what_to_do_when_a_cell_hangs_is_the_second(
    opened: Opener, folder: Path, paper: str
) -> None:
    page = opened()
    page.goto((folder / "handout.html").as_uri())
    sheets = pypdf.PdfReader(io.BytesIO(page.pdf(format=paper))).pages
    first, second = (sheet.extract_text() for sheet in sheets)
    assert first.lstrip().startswith("Stormy Webber") and "Who may call whom" in first
    assert second.lstrip().startswith("My cell hangs") and "sys.executable" in second
