"""Two people talk by Socket.IO's client for browsers, beside one with that for Python."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, WebSocketRoute, expect

from loopfilm import running_apart
from slides.looking import axe
from slides.paths import SLIDES

from .conftest import cannot

pytest.importorskip("socketio", reason="Socket.IO needs python-socketio")
pytest.importorskip("aiohttp", reason="its client needs aiohttp")

from stormy_demo.neighbours import socketio_room
from stormy_demo.neighbours.counterparts.socketio_person import joined

CLIENT = SLIDES / "npm/node_modules/socket.io-client/dist/socket.io.min.js"


class Chat:
    """A chat, and the windows in which people are in it."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.contexts: list[Any] = []
        self.complaints: list[str] = []
        self.requests: list[str] = []

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
        page.on("console", lambda line: self.complaints.append(f"{line.type}: {line.text}"))
        page.on("request", self.note)
        page.on("websocket", lambda socket: self.requests.append("websocket"))
        page.goto(f"{self.url}/{query}")
        return page

    def note(self, request: Request) -> None:
        """Keep which requests go to Socket.IO."""
        place = urlsplit(request.url)
        if place.path == "/socket.io/":
            [transport] = parse_qs(place.query)["transport"]
            self.requests.append(f"{request.method} {transport}")

    def enter(self, name: str, query: str = "", room: str = "hall", **options: Any) -> Page:
        """Open the page, and come in."""
        page = self.window(query, **options)
        come_in(page, name, room, "long poll" if "poll" in query else "WebSocket")
        return page

    def close(self) -> None:
        """Close the windows, in which no script may have failed or complained."""
        for context in self.contexts:
            context.close()
        assert self.complaints == []


@pytest.fixture
def real_talk(browser: Browser) -> Iterator[Chat]:
    """A chat whose page has Socket.IO's own client."""
    with running_apart(socketio_room.make_app(the_real_client())) as url:
        found = Chat(browser, url)
        yield found
        found.close()


@pytest.fixture(scope="module")
def frames_url() -> Iterator[str]:
    """Run one whose page speaks the few frames, and is pinged often."""
    app = socketio_room.make_app(ping_interval=0.2, ping_timeout=600)
    with running_apart(app) as url:
        yield url


@pytest.fixture
def talk(browser: Browser, frames_url: str) -> Iterator[Chat]:
    found = Chat(browser, frames_url)
    yield found
    found.close()


def the_real_client() -> str:
    if not CLIENT.exists():
        how = "`npm ci --omit=dev --prefix slides/npm` brings it"
        cannot(FileNotFoundError(f"Socket.IO's client for browsers is not here: {how}"))
    return str(CLIENT)


def come_in(page: Page, name: str, room: str = "hall", way: str = "WebSocket") -> None:
    page.get_by_label("Room").select_option(room)
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(f"{name}, in the {room}, by {way}.")


def say(page: Page, text: str) -> None:
    # The cursor is there already.
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")


def hears(page: Page, *lines: str) -> None:
    expect(page.get_by_role("log").locator("p")).to_have_text([*lines])


def in_a_thread(coroutine: Any) -> Any:
    """Run it on a loop of its own: on this thread, Playwright's is running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine()).result()


def test_with_the_real_client_by_both_ways_everybody_hears_everything(real_talk: Chat) -> None:
    ada = real_talk.enter("Ada")
    # It is greeted, comes in, hears that it is in, and goes over; one more poll may be ended.
    assert real_talk.requests[0] == "GET polling"
    polls = real_talk.requests.count("GET polling")
    assert polls in (2, 3)
    assert sorted(real_talk.requests) == ["GET polling"] * polls + ["POST polling", "websocket"]
    real_talk.requests.clear()
    grace = real_talk.enter("Grace", "?poll")

    async def alan() -> list[str]:
        async with joined(real_talk.url, auth={"name": "Alan"}) as client:
            # What was said before is heard while somebody comes in.
            assert [m["text"] for m in await client.hear(2)] == ["one", "two"]
            assert await client.call("say", "three", timeout=600)
            return [message["name"] for message in await client.hear(3)]

    say(ada, "one")
    hears(grace, "Adaone")
    say(grace, "two")
    hears(ada, "Adaone", "Gracetwo")
    assert in_a_thread(alan) == ["Ada", "Grace", "Alan"]
    for page in (ada, grace):
        hears(page, "Adaone", "Gracetwo", "Alanthree")
    # No WebSocket for who came by long poll.
    assert set(real_talk.requests) == {"GET polling", "POST polling"}


def test_what_looks_like_a_page_is_shown_in_its_room_as_it_was_said(talk: Chat) -> None:
    page = talk.enter("<b>Mallory", room="kitchen")
    attack = "<img src=x onerror=alert(1)>  </script><script>alert(2)</script>"
    say(page, attack)
    hears(page, f"<b>Mallory{attack}")
    assert page.locator("img").count() == 0


def test_who_lost_the_connection_hears_later_what_they_missed(talk: Chat) -> None:
    grace, said = talk.window(), list[str | bytes]()
    sockets: list[WebSocketRoute] = []

    def between(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()

        def forward(frame: str | bytes) -> None:
            said.append(frame)
            server.send(frame)

        socket.on_message(forward)

    grace.route_web_socket("**", between)
    come_in(grace, "Grace")

    async def ada(text: str) -> Any:
        async with joined(talk.url, auth={"name": "Ada"}) as client:
            return await client.call("say", text, timeout=600)

    in_a_thread(lambda: ada("one"))
    expect(grace.get_by_role("log").locator("p").last).to_have_text("Adaone")
    heard = grace.get_by_role("log").locator("p").count()
    for _ in range(10_000):
        if "3" in said:
            break
        grace.wait_for_timeout(20)
    assert "3" in said, "no ping was answered"
    sockets[0].close()
    expect(grace.get_by_role("status")).to_contain_text("No connection.")
    in_a_thread(lambda: ada("two"))
    expect(grace.get_by_role("log").locator("p").last).to_have_text("Adatwo")
    expect(grace.get_by_role("log").locator("p")).to_have_count(heard + 1)
    expect(grace.get_by_role("status")).to_have_text("Grace, in the hall, by WebSocket.")
    # And what the server refuses is told, and not lost.
    grace.get_by_label("You say").evaluate("field => field.removeAttribute('maxlength')")
    say(grace, "x" * 1001)
    expect(grace.get_by_role("status")).to_contain_text("Not sent. A message is one text")
    expect(grace.get_by_label("You say")).to_have_value("x" * 1001)
    assert len(sockets) == 2


@pytest.mark.usefixtures("axe_is_here")
@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_it_fits_and_axe_core_finds_nothing(talk: Chat, width: int, scheme: str) -> None:
    page = talk.window(viewport={"width": width, "height": 700}, color_scheme=scheme)
    assert not axe.audit(page).violations
    come_in(page, "Ada" * 13)
    lines = page.get_by_role("log").locator("p")
    text = f"{width} words " * 10 + "x" * 200
    for number in range(5):
        say(page, f"{text} {number}")
    expect(lines.last).to_have_text(f"{'Ada' * 13}{text} 4")
    assert not axe.audit(page).violations
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("the('said').scrollHeight > the('said').clientHeight")
    # The last line is in sight.
    expect(lines.last).to_be_in_viewport()
