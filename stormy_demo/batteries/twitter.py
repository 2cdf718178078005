"""The sign-in of the talk: Twitter's, OAuth 1.0a, at a provider on this machine.

`TwitterMixin` has been deprecated since Tornado 6.3, because Twitter closed the door that it
opens, and it will go. What it does is what OAuth 1.0a was everywhere: each question is signed
with a secret that is not sent along, and has a number, its nonce, that is good for once.

The mixin keeps the request token in a cookie, with its secret, and signs neither. With another
secret in there, the signature is another one than the provider expects, and it refuses.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from tornado.auth import AuthError, TwitterMixin
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.web import Application, HTTPError

from stormy_demo.agreed import BackendError, NotUnderstood
from stormy_demo.missing import in_a_sentence
from stormy_demo.program import main

from .signing_in import SigningInHandler, signing_in_app

with in_a_sentence(__name__):
    from .counterparts.providers import KEY, SECRET, twitter_provider

# What a provider answers to a question that is not signed well, or has been asked before.
REFUSALS = (400, 401)
# Characters of what a browser brings. It goes on in an address, which has its limits.
LONGEST = 1000


class Refused(BackendError):
    """The provider does not take what the browser brought."""

    status = 403

    def __init__(self) -> None:
        """Say so."""
        super().__init__("The backend takes this no more, or not from here.")


class TwitterHandler(SigningInHandler, TwitterMixin):
    """Asks what Twitter was, at another address."""

    def prepare(self) -> None:
        """Put the provider's addresses in the place of Twitter's, which are nobody's now."""
        self._OAUTH_REQUEST_TOKEN_URL = f"{self.provider}/oauth/request_token"
        self._OAUTH_AUTHENTICATE_URL = f"{self.provider}/oauth/authenticate"
        self._OAUTH_ACCESS_TOKEN_URL = f"{self.provider}/oauth/access_token"
        self._TWITTER_BASE_URL = f"{self.provider}/1.1"

    def get_auth_http_client(self) -> AsyncHTTPClient:
        """Return what the mixin asks with: this handler, whose `fetch` is strict."""
        return cast(AsyncHTTPClient, self)

    async def fetch(self, url: str) -> HTTPResponse:
        """Ask the provider.

        Raises:
            BackendError: there is no answer of success.
        """
        response = await self.ask(url)
        response.rethrow()
        return response


@contextmanager
def parsing() -> Iterator[None]:
    """Give all that the mixin raises when it reads an answer that is none one name.

    Raises:
        NotUnderstood: in place of all that.
    """
    try:
        yield
    except (AuthError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        raise NotUnderstood from None


class SignInHandler(TwitterHandler):
    """Sends the browser to the provider."""

    async def get(self) -> None:
        """Ask for a request token, and send the browser to the provider with it."""
        async with self.provider_to_blame():
            with parsing():
                await self.authenticate_redirect(callback_uri=self.callback)


class SignedInHandler(TwitterHandler):
    """Where the provider sends the browser back to."""

    async def get(self) -> None:
        """Find out who that is."""
        self.check_request_token()
        async with self.provider_to_blame():
            with parsing():
                user = await self.get_authenticated_user()
        self.keep_user(user["username"])

    def check_request_token(self) -> None:
        """Insist on that the browser is the one that began.

        Raises:
            HTTPError: a 403, or a 400 if it brings a form.
        """
        if self.request.body_arguments:
            # The mixin would believe it, and not the address that is looked at here.
            raise HTTPError(400, "This is no place for a form: begin at /sign-in")
        if self.only_argument("denied", "") or self.only_argument("error", ""):
            raise HTTPError(403, "You said no, or the provider did.")
        token = self.only_argument("oauth_token", "")
        verifier = self.only_argument("oauth_verifier", "")
        kept = self.get_cookie("_oauth_request_token") or ""
        # The mixin would look at all this too, and raise what it meets.
        try:
            key, _ = (base64.b64decode(part).decode() for part in kept.split("|"))
        except ValueError:
            key = ""
        is_right = token == key and all(0 < len(it) <= LONGEST for it in (token, verifier))
        if not is_right:
            raise HTTPError(403, "This is not where this browser began: begin at /sign-in")

    async def ask(self, url: str, **request: Any) -> HTTPResponse:
        """Ask the provider, who may refuse what the browser brought.

        Raises:
            Refused: it did.
        """
        response = await super().ask(url, **request)
        if response.code in REFUSALS:
            raise Refused
        return response


def make_app(provider: str = "", deadline: float = 5.0) -> Application:
    """Make the application.

    Args:
        provider: address of a provider that has the paths of Twitter, and takes
            `providers.KEY` and `SECRET`; empty starts one, for as long as the application runs.
        deadline: seconds that the provider has for all that a request needs of it.

    Raises:
        ValueError: an argument is not what it should be.
    """
    return signing_in_app(
        [("/sign-in", SignInHandler), ("/signed-in", SignedInHandler)],
        provider,
        twitter_provider,
        deadline,
        twitter_consumer_key=KEY,
        twitter_consumer_secret=SECRET,
    )


if __name__ == "__main__":
    sys.exit(main(make_app))
