"""What ways to sign in share: the cookie, and the questions to a provider that may fail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from secrets import token_bytes
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPResponse
from tornado.web import Application, HTTPError, RequestHandler

from stormy_demo.agreed import BackendError, NoAnswer, NotUnderstood, OtherStatus
from stormy_demo.backend import LONGEST
from stormy_demo.sentences import NotFoundHandler, SentenceHandler
from stormy_demo.strict_tornado import asking, http_client

from .small_bodies import SmallBodies

LONGEST_ANSWER = 30_000  # bytes; what a provider says is short
LONGEST_NAME = 255  # letters
HOST = re.compile(r"([\w.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)

Start = Callable[[], AbstractContextManager[str]]
Routes = list[tuple[str, type[RequestHandler]]]


class SigningInHandler(SentenceHandler):
    """A handler that knows who is signed in, and can ask the provider."""

    def get_current_user(self) -> str | None:
        """Return the name in the signed cookie, of this day; None without one."""
        # The older way to sign, version 1, hashes with SHA-1; nobody has a cookie of that.
        name = self.get_signed_cookie("user", max_age_days=1, min_version=2)
        return name.decode() if name else None

    def keep_user(self, name: object) -> None:
        """Sign somebody in, and go to the page that says so.

        Args:
            name: what the provider calls them.

        Raises:
            HTTPError: a 502; that is no name, or none that a page can show.
        """
        if not isinstance(name, str):
            raise HTTPError(502, "The provider did not say a name.")
        name = name.strip()
        if not (name.isprintable() and 1 <= len(name) <= LONGEST_NAME):
            raise HTTPError(
                502,
                f"The provider said a name that is not taken: it needs 1 to {LONGEST_NAME} "
                "letters, all of which can be printed.",
            )
        self.set_signed_cookie("user", name, expires_days=None)
        self.redirect("/")

    def set_cookie(self, name: str, value: str | bytes, *args: Any, **kwargs: Any) -> None:
        """Set a cookie that no script reads, and no form elsewhere sends along."""
        attributes: dict[str, Any] = {
            "httponly": True,
            "samesite": "Lax",
            "secure": self.request.protocol == "https",
            **kwargs,
        }
        super().set_cookie(name, value, *args, **attributes)

    @property
    def provider(self) -> str:
        """The address of the provider."""
        return str(self.settings["provider"])

    @property
    def callback(self) -> str:
        """The address to which the provider sends the browser back.

        The browser says where it is. A provider compares this with what was registered.

        Raises:
            HTTPError: a 400; no browser is at such a place.
        """
        try:
            if not HOST.fullmatch(self.request.host):
                raise NotUnderstood
            return as_address(f"{self.request.protocol}://{self.request.host}/signed-in")
        except NotUnderstood:
            raise HTTPError(400, "The Host of this request is no address.") from None

    async def ask(self, url: str, **request: Any) -> HTTPResponse:
        """Ask the provider; an answer of any status is one.

        Args:
            url: address of the question.
            **request: whatever else `tornado.httpclient.HTTPRequest` takes.

        Raises:
            BackendError: no answer came, or none that can be read, or in time.
        """
        seconds = self.settings["deadline"]
        response = await http_client().fetch(url, request_timeout=seconds, **request)
        if response.error and not isinstance(response.error, OtherStatus):
            raise response.error
        if len(response.body) > LONGEST_ANSWER:
            raise NoAnswer
        return response

    @asynccontextmanager
    async def provider_to_blame(self) -> AsyncIterator[None]:
        """Answer with a 502 or 504 what the provider does wrong while the block runs.

        Raises:
            HTTPError: the provider did something wrong, or all of it took too long.
        """
        try:
            async with asyncio.timeout(self.settings["deadline"]):
                yield
        except TimeoutError:
            raise HTTPError(504, "The provider did not answer in time.") from None
        except BackendError as error:
            sentence = str(error).replace("backend", "provider")
            raise HTTPError(error.status, sentence) from None

    def _request_summary(self) -> str:
        # What stands in the log. What follows the path has codes and tokens in it.
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"


class WhoHandler(SigningInHandler):
    """Says who is signed in."""

    def get(self) -> None:
        """Say it; null stands for nobody."""
        self.write({"user": self.current_user})


class SignOutHandler(SigningInHandler):
    """Forgets who is signed in."""

    def post(self) -> None:
        """Take the cookie away.

        A copy of it that somebody has made is good until the day is over. To end that as well,
        keep on the server who is signed in, as `sessions` does.
        """
        self.clear_cookie("user")
        self.redirect("/", status=303)


def as_address(value: object) -> str:
    """Return what a provider gave as an address, if it is one to which a browser can be sent.

    Raises:
        NotUnderstood: it is not.
    """
    if not isinstance(value, str) or not re.fullmatch("[!-~]+", value):
        raise NotUnderstood
    try:
        address = urlsplit(value)
    except ValueError:
        raise NotUnderstood from None
    if address.scheme not in ("http", "https") or not address.hostname:
        raise NotUnderstood
    return value


def signing_in_app(
    routes: Routes, provider: str, start: Start, deadline: float, **settings: Any
) -> Application:
    """Make an application to which people sign in.

    Args:
        routes: the handlers for "/sign-in" and "/signed-in".
        provider: address of the provider; empty starts one for as long as the application runs.
        start: runs a provider.
        deadline: seconds that a provider has for all that a request needs of it.
        **settings: passed on to `tornado.web.Application`.

    Raises:
        ValueError: an argument is not what it should be.
    """
    if provider:
        try:
            as_address(provider)
        except NotUnderstood:
            raise ValueError(
                "provider must be an address such as http://127.0.0.1:9400"
            ) from None
    if not 0 < deadline <= LONGEST:
        raise ValueError(
            f"deadline must be more than 0 seconds, and a day at most, not {deadline}"
        )

    @contextmanager
    def with_provider() -> Iterator[None]:
        with asking(), nullcontext(provider.rstrip("/")) if provider else start() as url:
            app.settings["provider"] = url
            yield

    app = SmallBodies(
        [("/", WhoHandler), ("/sign-out", SignOutHandler), *routes],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/, /sign-in and /sign-out"},
        # A new one each time: whoever was signed in before has to sign in once more.
        cookie_secret=token_bytes(32),
        cross_origin_protection=True,
        deadline=deadline,
        while_running=with_provider,
        **settings,
    )
    return app
