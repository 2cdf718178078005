"""A real browser runs what `seen` says that it runs, and sends cookies where we say it does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tornado.template import Template
from tornado.web import Application, RequestHandler

from loopfilm import running_apart
from stormy_demo.batteries import pages, sessions
from stormy_demo.batteries.counterparts.seen import seen

SCRIPT = "<script>steal()</script>"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose `steal` leaves a trace."""
    context = browser.new_context()
    context.add_init_script("window.steal = () => { document.title = 'stolen'; }")
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.mark.parametrize(
    ("hole", "it", "runs"),
    [
        ("<p>{{ it }}</p>", SCRIPT, False),
        ("<p>Hello {% raw it %}</p>", SCRIPT, True),
        ("<p title={{ it }}>Hello</p>", "x onmouseover=steal()", True),
        ('<p title="{{ it }}">Hello</p>', "x onmouseover=steal()", False),
        ('<p title="{{ it }}">Hello</p>', '" onmouseover="steal()', False),
        ("<p title='{{ it }}'>Hello</p>", "' onmouseover='steal()", False),
        ('<p><a href="{{ it }}">Hello</a></p>', "javascript:steal()", True),
        ('<p><a href="{{ it }}">Hello</a></p>', " java\nscript:steal()", True),
        ('<p><a href="{{ it }}">Hello</a></p>', "\x01 javascript:steal()", True),
        ("<p>Hello {% raw it %}</p>", "<script/>steal()</script>", True),
        ('<p><a href="#{{ url_escape(it) }}">Hello</a></p>', "javascript:steal()", False),
    ],
)
def test_the_holes_of_the_lesson(page: Page, hole: str, it: str, runs: bool) -> None:
    html = Template(hole).generate(it=it).decode()

    class Hole(RequestHandler):
        def get(self) -> None:
            self.write(f"<!DOCTYPE html><title>safe</title>{html}")

    with running_apart(Application([(r"/", Hole)])) as url:
        page.goto(url)
        page.locator("p, a").last.hover(force=True)
        page.locator("p, a").last.click(force=True)
        if not runs:
            # What the click has begun is done before this comes.
            page.evaluate("new Promise(resolve => setTimeout(resolve))")
        expect(page).to_have_title("stolen" if runs else "safe")
    assert bool(seen(html).runs) is runs


def test_the_guest_book_shows_an_attack_as_it_was_typed(page: Page) -> None:
    with running_apart(pages.make_app()) as url:
        page.goto(url)
        page.get_by_label("Name").fill(SCRIPT)
        page.get_by_label("Text").fill("&lt; <b>bold</b>")
        page.get_by_role("button").click()
        expect(page.locator("p").first).to_contain_text(f"{SCRIPT}: &lt; <b>bold</b>")
        assert page.title() == "Guest book"
        page.get_by_role("link", name="more").click()
        expect(page.locator("p").first).to_contain_text(SCRIPT)


def elsewhere(address: str) -> Application:
    """A site with a form that gives a coin of a purse at this address away."""

    class Trap(RequestHandler):
        def get(self) -> None:
            self.write(
                f'<form method="post" action="{address}"><input name="to" value="eve">'
                "<button>Win</button></form>"
            )

    return Application([(r"/", Trap)])


@pytest.mark.parametrize(
    ("protected", "answer"), [(True, "Sec-Fetch-Site cross-site"), (False, "no purse yet")]
)
def test_a_form_of_another_site_gets_no_coin(page: Page, protected: bool, answer: str) -> None:
    """Unprotected, too: the cookie is `SameSite=Lax`, and this browser heeds that."""
    app = sessions.make_app(cross_origin_protection=protected, xsrf_cookies=False)
    with running_apart(app) as url, running_apart(elsewhere(url)) as trap:
        page.goto(url)
        # A port makes no other site, but another name does.
        page.goto(trap.replace("127.0.0.1", "localhost"))
        page.get_by_role("button").click()
        expect(page.locator("body")).to_contain_text(answer)
        page.goto(url)
        expect(page.locator("body")).to_contain_text(f"You have {sessions.COINS} coins")


@pytest.mark.parametrize("protected", [True, False])
def test_a_port_makes_another_origin_and_the_same_site(page: Page, protected: bool) -> None:
    """Here the browser sends the cookie: only Tornado's protection is left."""
    app = sessions.make_app(cross_origin_protection=protected, xsrf_cookies=False)
    with running_apart(app) as url, running_apart(elsewhere(url)) as trap:
        page.goto(url)
        page.goto(trap)
        page.get_by_role("button").click()
        answer = "Sec-Fetch-Site same-site" if protected else "You have 9 coins"
        expect(page.locator("body")).to_contain_text(answer)


def test_our_own_form_gives_a_coin(page: Page) -> None:
    with running_apart(sessions.make_app()) as url:
        page.goto(url)
        page.get_by_label("Give one to").fill("grace")
        page.get_by_role("button").click()
        expect(page.locator("body")).to_contain_text("You have 9 coins")
        assert page.evaluate("document.cookie") == ""
