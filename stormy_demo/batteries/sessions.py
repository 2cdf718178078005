"""Sessions made of signed cookies, and a form that no other site can send.

`GET /` gives a newcomer a purse of ten coins, and `POST /` with `to=grace` gives one of them
away. The browser keeps the number of the session, signed; the coins stay here.

A browser sends a cookie with each request to the site that it is from, also if the form for
that request stands on a page of another site. So a form needs more than a cookie, and Tornado
has two ways: `xsrf_cookies` demands a token that only our own page knows, and
`cross_origin_protection` believes what the browser says of the page that the form is on. The
token is compared with a second cookie, which whoever serves another port or a neighbouring name
can set, too; and what is no browser, or a very old one, says nothing. So here are both.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

from tornado.web import Application, HTTPError

from stormy_demo.program import main
from stormy_demo.sentences import NotFoundHandler

from .pages import TEMPLATES, FormHandler
from .small_bodies import SmallBodies

COINS = 10
COOKIE = "session"
LONGEST_NAME = 60  # characters


class Sessions:
    """What the server keeps of its visitors, in memory.

    Args:
        most: how many sessions there may be; for one more, that which was last used the longest
            ago is forgotten.
        seconds: how long one is kept that nobody uses.
        clock: gives the time in seconds.
    """

    def __init__(
        self,
        most: int = 10_000,
        seconds: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without any."""
        self.most, self.seconds, self.clock = most, seconds, clock
        # The one that was used last is the last.
        self._kept: dict[bytes, tuple[float, dict[str, int]]] = {}

    def begin(self, kept: dict[str, int]) -> bytes:
        """Begin a session, and return its number, which nobody can guess.

        Args:
            kept: what to keep in it.
        """
        number = secrets.token_hex(16).encode()
        self._keep(number, kept)
        while len(self._kept) > self.most:
            del self._kept[next(iter(self._kept))]
        return number

    def find(self, number: bytes | None) -> dict[str, int] | None:
        """Return what is kept under a number; it can be changed in place.

        Args:
            number: as `begin` gave it, or None from who has none.

        Returns:
            What is kept, or None if there is no such session, or no longer.
        """
        if number is None or number not in self._kept:
            return None
        used, kept = self._kept.pop(number)
        if self.clock() - used > self.seconds:
            return None
        self._keep(number, kept)
        return kept

    def end(self, number: bytes) -> None:
        """Forget a session: from now on its cookie opens nothing."""
        self._kept.pop(number, None)

    def _keep(self, number: bytes, kept: dict[str, int]) -> None:
        self._kept[number] = (self.clock(), kept)


class SessionHandler(FormHandler):
    """A handler that knows its visitor's session.

    Its cookies look at who does the TLS. Where that is a proxy, the server has to believe what
    the proxy says of it: `HTTPServer(app, xheaders=True)`.
    """

    def initialize(self, sessions: Sessions) -> None:
        """Keep where the sessions are kept."""
        self.sessions = sessions

    def session(self) -> dict[str, int] | None:
        """Return the visitor's session, or None where there is none."""
        return self.sessions.find(self.get_signed_cookie(COOKIE, min_version=2))

    def begin_session(self, kept: dict[str, int]) -> None:
        """Begin a session, and give the visitor its number.

        Who signs somebody in begins a new one as well: the old number may be known to others.

        Args:
            kept: what to keep in it.
        """
        self.give_number(self.sessions.begin(kept))

    def give_number(self, number: bytes) -> None:
        """Give the browser the number of a session, until it is closed."""
        tls = self.request.protocol == "https"
        # Hidden from scripts; not sent with a POST of another site; with TLS, never without it.
        self.set_signed_cookie(
            COOKIE, number, expires_days=None, httponly=True, samesite="Lax", secure=tls
        )

    def set_cookie(self, name: str, value: str | bytes, *args: Any, **kwargs: Any) -> None:
        """Set a cookie; Tornado's own, that of `xsrf_cookies`, needs TLS as well."""
        attributes = {"secure": self.request.protocol == "https", **kwargs}
        super().set_cookie(name, value, *args, **attributes)


class PurseHandler(SessionHandler):
    """A purse that everybody has."""

    def get(self) -> None:
        """Show how much is in it."""
        session = self.session()
        if session is None:
            session = {"coins": COINS}
            self.begin_session(session)
        self.render("purse.html", coins=session["coins"])

    def post(self) -> None:
        """Give a coin to somebody."""
        session = self.session()
        if session is None:
            raise HTTPError(403, "you have no purse yet, or it is gone: look at / first")
        if not self.field("to", LONGEST_NAME):
            raise HTTPError(400, "to must say who gets the coin")
        if not session["coins"]:
            raise HTTPError(409, "your purse is empty")
        session["coins"] -= 1
        self.redirect("/", status=303)


def make_app(
    secret: str = "", cross_origin_protection: bool = True, xsrf_cookies: bool = True
) -> Application:
    """Make the application.

    Args:
        secret: signs the cookies. Empty makes a new one, and cookies end with the program. What
            stands on a command line can be read by everybody on the machine: a program that is
            not for a lesson has its secret from elsewhere.
        cross_origin_protection: whether a form of another site is refused, if the browser tells
            of it.
        xsrf_cookies: whether a form is refused that lacks the token of our page.
    """
    return SmallBodies(
        [(r"/", PurseHandler, {"sessions": Sessions()})],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/"},
        template_path=str(TEMPLATES),
        cookie_secret=secret or secrets.token_hex(32),
        cross_origin_protection=cross_origin_protection,
        xsrf_cookies=xsrf_cookies,
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},
    )


if __name__ == "__main__":
    sys.exit(main(make_app))
