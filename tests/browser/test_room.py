"""What a speaker does to the deck in a room: plays a film, turns the light, meets a beamer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from slides.looking import walk

from .conftest import Opener

FILM = "section.present > section.present div.film"
WINDOW = f"document.querySelector('{FILM} clipPath rect').width"


@pytest.fixture
def open_deck(opened: Opener, deck: Path) -> Opener:
    def open_it(**options: Any) -> Page:
        page = opened(**options)
        page.goto(deck.as_uri())
        page.wait_for_function("Reveal.isReady()")
        return page

    return open_it


def to_the_film(page: Page) -> None:
    while not page.locator(FILM).is_visible():
        page.keyboard.press("Space")


def test_p_plays_the_film_and_stops_it(open_deck: Any) -> None:
    page = open_deck()
    to_the_film(page)
    button = page.locator(f"{FILM} button")
    assert button.inner_text().startswith("Play ")

    page.keyboard.press("p")
    page.wait_for_function(f"{WINDOW}.animVal.value < {WINDOW}.baseVal.value")
    assert button.inner_text() == "Stop"

    page.keyboard.press("p")
    page.wait_for_function(f"{WINDOW}.animVal.value === {WINDOW}.baseVal.value")
    assert button.inner_text().startswith("Play ")


def test_the_button_plays_the_film_to_its_end(open_deck: Any) -> None:
    page = open_deck()
    to_the_film(page)
    page.locator(f"{FILM} button").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{WINDOW}.animVal.value < {WINDOW}.baseVal.value")
    page.evaluate(f"document.querySelector('{FILM} svg').setCurrentTime(1000)")
    page.wait_for_function(f"document.querySelector('{FILM} button').textContent != 'Stop'")
    assert page.evaluate(f"{WINDOW}.animVal.value === {WINDOW}.baseVal.value")


def test_a_film_left_alone_does_not_play_on(open_deck: Any) -> None:
    page = open_deck()
    to_the_film(page)
    page.keyboard.press("p")
    page.keyboard.press("ArrowUp")
    assert page.locator("div.film[data-playing]").count() == 0


def test_who_wants_no_motion_gets_none(open_deck: Any) -> None:
    page = open_deck(reduced_motion="reduce")
    to_the_film(page)
    assert not page.locator(f"{FILM} button").is_visible()
    page.keyboard.press("p")
    assert page.evaluate(f"{WINDOW}.animVal.value === {WINDOW}.baseVal.value")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_t_turns_the_light(open_deck: Any, scheme: str) -> None:
    page = open_deck(color_scheme=scheme)
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    page.keyboard.press("t")
    turned = page.evaluate(paper)
    page.keyboard.press("t")
    assert turned != before == page.evaluate(paper)


@pytest.mark.parametrize(
    ("screen", "slide"),
    [((1280, 720), 1280), ((1920, 1080), 1280), ((1024, 768), 1024), ((1400, 1050), 1024)],
)
def test_a_slide_has_the_shape_of_its_screen(
    open_deck: Any, screen: tuple[int, int], slide: int
) -> None:
    page = open_deck(viewport={"width": screen[0], "height": screen[1]})
    assert page.evaluate("Reveal.getConfig().width") == slide
    box = page.locator("section.present > section.present").bounding_box()
    assert round(box["width"]) == screen[0]


def test_the_shape_follows_when_the_deck_moves_to_another_screen(open_deck: Any) -> None:
    page = open_deck(viewport={"width": 1280, "height": 720})
    page.set_viewport_size({"width": 1024, "height": 768})
    page.wait_for_function("Reveal.getConfig().width === 1024")
    page.set_viewport_size({"width": 1280, "height": 720})
    page.wait_for_function("Reveal.getConfig().width === 1280")


@pytest.mark.parametrize("screen", [(1280, 720), (1024, 768)])
def test_nothing_of_a_film_is_cut_off(open_deck: Any, screen: tuple[int, int]) -> None:
    page = open_deck(viewport={"width": screen[0], "height": screen[1]})
    to_the_film(page)
    cut = page.evaluate(
        """film => {
            const svg = document.querySelector(film + ' svg');
            const scale = svg.getScreenCTM();
            const {x, width} = svg.querySelector('clipPath rect');
            const left = scale.e + x.baseVal.value * scale.a;
            const right = left + width.baseVal.value * scale.a;
            return [...svg.querySelectorAll('text')]
                .filter(text => text.getBoundingClientRect().left < left
                    || text.getBoundingClientRect().right > right)
                .map(text => text.textContent);
        }""",
        FILM,
    )
    assert cut == []


def test_a_key_beside_the_speakers_notes_reaches_the_room(open_deck: Any) -> None:
    page = open_deck()
    to_the_film(page)
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    speaker.wait_for_function("document.querySelectorAll('iframe').length === 2")
    preview = speaker.frame_locator("#current-slide iframe").locator("body")
    preview.press("p")
    page.wait_for_function("document.querySelector('div.film[data-playing]')")
    before = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    preview.press("t")
    page.wait_for_function(
        "before => getComputedStyle(document.documentElement).colorScheme != before", arg=before
    )


NOTES = "aside.notes:visible, .speaker-notes:visible, .speaker-notes-pdf:visible"


@pytest.mark.parametrize("query", ["", "?showNotes=true", "?print-pdf&showNotes=true", "?read"])
def test_no_address_shows_the_notes(opened: Opener, deck: Path, query: str) -> None:
    page = opened()
    page.goto(deck.as_uri() + query)
    page.wait_for_function("!Reveal.isReady || Reveal.isReady() || /read/.test(location)")
    assert page.locator(NOTES).count() == 0
    assert page.locator("h1:visible").count() == 1


def test_as_a_page_to_read_all_slides_are_there_at_any_width(
    opened: Opener, deck: Path
) -> None:
    page = opened(viewport={"width": 360, "height": 640})
    page.goto(deck.as_uri() + "?read")
    headings = page.locator(".slides :is(h1, h2, h3)")
    assert headings.count() == page.locator(".slides > section > section").count()
    assert all(heading.is_visible() for heading in headings.all())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    before = page.evaluate("document.documentElement.scrollHeight")
    page.add_style_tag(content=":root { zoom: 2 }")
    assert page.evaluate("document.documentElement.scrollHeight") > 1.5 * before


def test_paper_is_light_and_has_no_spider_whatever_the_speaker_pressed(open_deck: Any) -> None:
    page = open_deck(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(media="screen", color_scheme="light")
    page.keyboard.press("t")
    page.emulate_media(media="print", color_scheme="light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert not page.locator(".lifeline").is_visible()


def test_who_has_colours_of_the_machine_keeps_them(open_deck: Any) -> None:
    page = open_deck(forced_colors="active", color_scheme="dark")
    to_the_film(page)
    ink = f"getComputedStyle(document.querySelector('{FILM} svg')).fill"
    before = page.evaluate(ink)
    page.keyboard.press("t")
    assert page.evaluate(ink) == before
    key = "getComputedStyle(document.querySelector('.key'), '::before')"
    assert page.evaluate(f"{key}.forcedColorAdjust") == "none"


def test_a_mouse_on_the_button_leaves_the_keys_to_the_slides(open_deck: Any) -> None:
    page = open_deck()
    to_the_film(page)
    page.locator(f"{FILM} button").click()
    before = page.evaluate("JSON.stringify(Reveal.getIndices())")
    page.keyboard.press("Space")
    page.wait_for_function(
        "before => JSON.stringify(Reveal.getIndices()) !== before", arg=before
    )


def test_space_on_the_focused_button_plays_the_film(open_deck: Any) -> None:
    page = open_deck()
    to_the_film(page)
    page.locator(f"{FILM} button").focus()
    page.keyboard.press("Space")
    assert page.locator(f"{FILM} button").inner_text() == "Stop"


def test_at_a_glance_and_in_a_pause_there_is_nothing_to_follow(open_deck: Any) -> None:
    page = open_deck()
    link = page.locator(".slides a").first
    page.keyboard.press("o")
    assert link.get_attribute("tabindex") == "-1"
    page.keyboard.press("o")
    assert link.get_attribute("tabindex") is None
    page.keyboard.press("b")
    assert not link.is_visible()


def test_the_spider_comes_down_as_the_talk_goes_on(open_deck: Any) -> None:
    page = open_deck()
    spider = page.locator(".lifeline svg")
    depths = [spider.bounding_box()["y"]]
    for key in ("Space", "Space", "End"):
        page.keyboard.press(key)
        depths.append(spider.bounding_box()["y"])
    assert depths == sorted(depths) and len(set(depths)) == len(depths)
    assert depths[-1] < 720 - 48


@pytest.mark.parametrize("screen", [(390, 844), (844, 390)])
@pytest.mark.parametrize(
    ("address", "title"),
    [("", "Stormy Webber"), ("#/4/1", "Three ask at once"), ("#/routes", "The route")],
)
def test_a_phone_gets_a_page_to_read_at_the_slide_that_was_asked_for(
    opened: Opener, deck: Path, screen: tuple[int, int], address: str, title: str
) -> None:
    page = opened(viewport={"width": screen[0], "height": screen[1]})
    page.goto(deck.as_uri() + address)
    heading = page.locator(".slides :is(h1, h2, h3)", has_text=title).first
    page.wait_for_function(
        "heading => { const { top, bottom } = heading.getBoundingClientRect();"
        " return top >= 0 && bottom <= innerHeight; }",
        arg=heading.element_handle(),
    )
    # Nobody has to scroll sideways but in code that is wider than the screen.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".slides pre").count() > 30
    assert not page.evaluate(
        "[...document.querySelectorAll('.slides pre')]"
        ".filter(pre => getComputedStyle(pre).whiteSpace !== 'pre').length"
    )


def test_space_ends_at_the_end_and_the_appendix_is_reached_by_its_links(open_deck: Any) -> None:
    page = open_deck()
    last, *later = page.evaluate(
        f"() => {{ const all = {walk.ALL};"
        """
            const at = slide => [Reveal.getIndices(slide).h, Reveal.getIndices(slide).v];
            const later = all.filter(each => each.matches('[data-visibility=uncounted]'));
            return [at(all[all.length - later.length - 1]), ...later.map(at)];
        }"""
    )
    page.evaluate("([h, v]) => Reveal.slide(h, v, Infinity)", last)
    for key in ("Space", "ArrowRight", "PageDown", "n"):
        page.keyboard.press(key)
        assert page.evaluate("[Reveal.getIndices().h, Reveal.getIndices().v]") == last
    name = page.locator("[data-visibility=uncounted][id]").first.get_attribute("id")
    page.evaluate(
        "name => Reveal.slide(...Object.values("
        "Reveal.getIndices(document.querySelector(`a[href='#/${name}']`)"
        ".closest('section'))).slice(0, 2), Infinity)",
        name,
    )
    page.locator(f"section.present a[href='#/{name}']").first.click()
    page.wait_for_function("name => Reveal.getCurrentSlide().id === name", arg=name)
    assert later


def test_code_has_the_largest_letters_with_which_it_fits(open_deck: Any) -> None:
    page = open_deck()
    found = page.evaluate(
        f"() => {walk.ALL}"
        """.map(slide => {
            const { h, v } = Reveal.getIndices(slide);
            Reveal.slide(0, 0);
            Reveal.slide(h, v, Infinity);
            const words = slide.textContent.trim().replace(/\\s+/g, ' ');
            return [words.slice(0, 40), slide.offsetHeight,
                parseFloat(slide.style.getPropertyValue('--code-text') || 30)];
        })"""
    )
    assert all(height <= 720 for _, height, _ in found)
    small = [title for title, _, size in found if size < 24]
    assert len(small) <= 6, small
