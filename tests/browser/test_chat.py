"""Two people talk on the page of the chat: one by WebSocket, the other by long poll."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tornado.web import HTTPError

from loopfilm import running_apart
from slides.looking import axe
from stormy_demo.batteries import chat
from stormy_demo.batteries.room import Room


class Chat:
    """A chat, and the windows in which people are in it."""

    def __init__(self, browser: Browser, url: str, room: Room) -> None:
        self.browser, self.url, self.room = browser, url, room
        self.contexts: list[Any] = []
        self.complaints: list[str] = []

    def window(self, query: str = "", **options: Any) -> Page:
        """Open the page, in a browser that asks nobody else for anything."""
        context = self.browser.new_context(**options)
        self.contexts.append(context)

        def ask_nobody_else(route: Route) -> None:
            assert route.request.url.startswith(self.url), route.request.url
            route.continue_()

        context.route("**", ask_nobody_else)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{self.url}/{query}")
        return page

    def enter(self, name: str, query: str = "", **options: Any) -> Page:
        """Open the page, and come in."""
        page = self.window(query, **options)
        page.get_by_label("Your name").fill(name)
        page.keyboard.press("Enter")
        way = "long poll" if "poll" in query else "WebSocket"
        expect(page.get_by_role("status")).to_have_text(f"{name}, by {way}.")
        return page

    def close(self) -> None:
        """Close the windows, in which no script may have failed."""
        for context in self.contexts:
            context.close()
        assert self.complaints == []


@pytest.fixture
def talk(browser: Browser) -> Iterator[Chat]:
    room = Room()
    with running_apart(chat.make_app(room)) as url:
        found = Chat(browser, url, room)
        yield found
        found.close()


def say(page: Page, text: str) -> None:
    # The cursor is there already.
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")


def hears(page: Page, *lines: str) -> None:
    expect(page.get_by_role("log").locator("p")).to_have_text([*lines])


def test_two_people_talk_and_a_third_hears_what_they_said(talk: Chat) -> None:
    ada, grace = talk.enter("Ada"), talk.enter("Grace", "?poll")
    say(ada, "Is anybody here?")
    hears(grace, "AdaIs anybody here?")
    say(grace, "I am.")
    hears(ada, "AdaIs anybody here?", "GraceI am.")
    say(ada, "Good.")
    for page in [ada, grace, talk.enter("Alan"), talk.enter("Edith", "?poll")]:
        hears(page, "AdaIs anybody here?", "GraceI am.", "AdaGood.")


def test_one_may_change_the_way_and_hears_everything_once(talk: Chat) -> None:
    ada, grace = talk.enter("Ada"), talk.enter("Grace")
    say(ada, "one")
    hears(grace, "Adaone")
    switch = grace.get_by_label("by long poll")
    for text, way in [("two", "long poll"), ("three", "WebSocket")]:
        switch.set_checked(way == "long poll")
        expect(grace.get_by_role("status")).to_have_text(f"Grace, by {way}.")
        say(ada, text)
        expect(grace.get_by_role("log").locator("p").last).to_have_text(f"Ada{text}")
    hears(grace, "Adaone", "Adatwo", "Adathree")


@pytest.mark.parametrize("query", ["", "?poll"])
def test_what_looks_like_a_page_is_shown_as_it_was_said(talk: Chat, query: str) -> None:
    page = talk.enter("<b>Mallory", query)
    attack = "<img src=x onerror=alert(1)>  </script><script>alert(2)</script>"
    say(page, attack)
    hears(page, f"<b>Mallory{attack}")
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("query", ["", "?poll"])
def test_who_lost_the_connection_hears_later_what_they_missed(talk: Chat, query: str) -> None:
    ada, grace = talk.enter("Ada"), talk.enter("Grace", query)
    say(ada, "one")
    hears(grace, "Adaone")
    grace.evaluate("way.leave(); way = null")
    say(ada, "two")
    hears(ada, "Adaone", "Adatwo")
    grace.evaluate("enter()")
    hears(grace, "Adaone", "Adatwo")


def test_a_server_that_goes_is_told_and_found_again(browser: Browser) -> None:
    room, loops = Room(), []

    @contextmanager
    def keep_the_loop() -> Iterator[None]:
        loops.append(asyncio.get_running_loop())
        yield

    def go_away() -> None:
        app.default_router.rules.clear()
        for member in list(room.members):
            assert isinstance(member, chat.SocketHandler)
            member.close()

    app = chat.make_app(room, patience=0.1, while_running=keep_the_loop)
    rules = list(app.default_router.rules)
    with running_apart(app) as url:
        talk = Chat(browser, url, room)
        ada, grace = talk.enter("Ada"), talk.enter("Grace", "?poll")
        loops[0].call_soon_threadsafe(go_away)
        for page in [ada, grace]:
            expect(page.get_by_role("status")).to_contain_text("No connection.")
        for page in [ada, grace]:
            say(page, "Hello?")
            expect(page.get_by_role("status")).to_contain_text("Not sent.")
            expect(page.get_by_label("You say")).to_have_value("Hello?")
        loops[0].call_soon_threadsafe(app.default_router.rules.extend, rules)
        expect(ada.get_by_role("status")).to_have_text("Ada, by WebSocket.")
        expect(grace.get_by_role("status")).to_have_text("Grace, by long poll.")
        for page in [ada, grace]:
            page.keyboard.press("Enter")
            expect(page.get_by_label("You say")).to_have_value("")
        for page in [ada, grace]:
            expect(page.get_by_role("log").locator("p")).to_have_count(2)
        talk.close()


class FailingRoom(Room):
    """A room in which one can do with what is said whatever a test says."""

    says: Callable[[], None] | None = None

    async def say(self, name: str, text: str) -> None:
        if self.says:
            self.says()
        else:
            await super().say(name, text)


@pytest.mark.parametrize("way", ["WebSocket", "long poll"])
def test_what_could_not_be_said_is_put_back_until_it_is_said(
    browser: Browser, way: str
) -> None:
    room, reason = FailingRoom(), "The broker cannot be reached: say it again later."

    def fail() -> None:
        raise HTTPError(503, reason)

    with running_apart(chat.make_app(room)) as url:
        talk = Chat(browser, url, room)
        ada = talk.enter("Ada", "?poll" if way == "long poll" else "")
        state, field = ada.get_by_role("status"), ada.get_by_label("You say")
        say(ada, "one")
        hears(ada, "Adaone")
        room.says = fail
        say(ada, "two")
        expect(field).to_have_value("two")
        # The WebSocket has been closed, and opened again.
        there = "Ada, by WebSocket. " if way == "WebSocket" else ""
        expect(state).to_have_text(f"{there}Not sent. {reason}")
        room.says = None
        ada.keyboard.press("Enter")
        hears(ada, "Adaone", "Adatwo")
        expect(field).to_have_value("")
        expect(state).to_have_text(f"Ada, by {way}.")
        talk.close()


def test_what_was_perhaps_not_said_is_put_back_too(browser: Browser) -> None:
    room = FailingRoom()

    def go_away() -> None:
        for member in list(room.members):
            assert isinstance(member, chat.SocketHandler)
            member.close()

    with running_apart(chat.make_app(room)) as url:
        talk = Chat(browser, url, room)
        ada = talk.enter("Ada")
        say(ada, "one")
        hears(ada, "Adaone")
        room.says = go_away
        say(ada, "two")
        expect(ada.get_by_label("You say")).to_have_value("two")
        expect(ada.get_by_role("status")).to_have_text("Ada, by WebSocket. Perhaps not sent.")
        talk.close()


def test_what_a_browser_says_of_a_connection_becomes_a_sentence(talk: Chat) -> None:
    grace = talk.enter("Grace", "?poll")
    grace.route("**", lambda route: route.abort())
    # The poll that is waiting is answered, and the next is refused.
    say(talk.enter("Ada"), "one")
    told = "No connection. Failed to fetch. Trying again."
    expect(grace.get_by_role("status")).to_have_text(told)


@pytest.mark.usefixtures("axe_is_here")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_and_axe_core_finds_nothing(talk: Chat, width: int, scheme: str) -> None:
    options: Any = {"viewport": {"width": width, "height": 500}, "color_scheme": scheme}
    assert not axe.audit(talk.window(**options)).violations
    page = talk.enter("Ada" * 13, **options)
    for _ in range(20):
        say(page, "word " * 20 + "x" * 200)
    hears(page, *["Ada" * 13 + "word " * 20 + "x" * 200] * 20)
    assert not axe.audit(page).violations
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.scrollHeight") <= 500
    # The last line is in sight.
    expect(page.get_by_role("log").locator("p").last).to_be_in_viewport()
