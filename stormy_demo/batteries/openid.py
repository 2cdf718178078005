"""Sign in at an OpenID provider: OAuth 2, the authorization code, and PKCE.

`/sign-in` sends the browser to the provider, and the provider sends it back to `/signed-in`,
with a code. For the code, and for the verifier that goes with it, the provider tells us who it
is.

Three things that nobody guesses belong to an attempt, and meanwhile a signed cookie keeps them,
which its own browser can read. The `state` comes back with the browser: is it the one that
began? The verifier goes with the code: was it given for this attempt? The `nonce` stands in the
ID token: is that the answer to our question?
"""

from __future__ import annotations

import hmac
import json
import secrets
import sys
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tornado.auth import OAuth2Mixin
from tornado.web import Application, HTTPError

from stormy_demo.agreed import NotUnderstood, said_of
from stormy_demo.missing import in_a_sentence
from stormy_demo.program import main

from .pkce import challenge_of, new_verifier
from .signing_in import SigningInHandler, as_address, signing_in_app

with in_a_sentence(__name__):
    from .counterparts.providers import KEY, SECRET, openid_provider
    from .id_token import claims_of

MINUTES = 10  # in which a person has to sign in at the provider
WELL_KNOWN = "/.well-known/openid-configuration"
WHERE = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class Attempt(NamedTuple):
    """What is kept in the browser that begins to sign in, until it comes back."""

    state: str
    nonce: str
    verifier: str


class OpenIDHandler(SigningInHandler, OAuth2Mixin):
    """Asks an OpenID provider."""

    async def configuration(self) -> dict[str, str]:
        """Ask the provider what it calls itself, and where it does what.

        Returns:
            The address of each of `WHERE`.

        Raises:
            BackendError: it does not say.
        """
        found = await self.said(self.provider + WELL_KNOWN, *WHERE)
        addresses = {name: as_address(value) for name, value in zip(WHERE, found, strict=True)}
        if addresses["issuer"].rstrip("/") != self.provider:
            raise NotUnderstood
        return addresses

    async def said(self, url: str, *things: str) -> list[Any]:
        """Ask the provider for a piece of JSON, and return the things that it says in there."""
        response = await self.ask(url)
        return [said_of(thing, response.code, response.body) for thing in things]


class SignInHandler(OpenIDHandler):
    """Sends the browser to the provider."""

    async def get(self) -> None:
        """Begin an attempt."""
        async with self.provider_to_blame():
            where = await self.configuration()
        self._OAUTH_AUTHORIZE_URL = where["authorization_endpoint"]
        attempt = Attempt(secrets.token_urlsafe(), secrets.token_urlsafe(), new_verifier())
        self.set_signed_cookie("attempt", json.dumps(attempt), expires_days=MINUTES / 1440)
        self.authorize_redirect(
            redirect_uri=self.callback,
            client_id=KEY,
            scope=["openid"],
            extra_params={
                "state": attempt.state,
                "nonce": attempt.nonce,
                "code_challenge": challenge_of(attempt.verifier),
                "code_challenge_method": "S256",
            },
        )


class SignedInHandler(OpenIDHandler):
    """Where the provider sends the browser back to."""

    async def get(self) -> None:
        """Find out who that is."""
        code = self.code()
        attempt = self.attempt()
        async with self.provider_to_blame():
            claims = await self.claims(code, attempt.verifier)
        if claims.get("nonce") != attempt.nonce:
            raise HTTPError(403, "What the provider says is no answer to this attempt.")
        self.keep_user(claims["sub"])

    def code(self) -> str:
        """Return the code of the provider.

        Raises:
            HTTPError: a 4xx; there is none.
        """
        if error := self.only_argument("error", ""):
            said_no = error == "access_denied"
            raise HTTPError(403, "You said no." if said_no else "The provider said no.")
        code = self.only_argument("code", "")
        if not code:
            raise HTTPError(400, "There is no code in the address: begin at /sign-in")
        return code

    def attempt(self) -> Attempt:
        """Return the attempt that ends here; the browser is told to forget it.

        Raises:
            HTTPError: a 403; none began in this browser.
        """
        kept = self.get_signed_cookie("attempt", max_age_days=MINUTES / 1440, min_version=2)
        attempt = Attempt(*json.loads(kept)) if kept else None
        state = self.only_argument("state", "")
        # Compared in a time that does not tell how much of it was right.
        if not attempt or not hmac.compare_digest(attempt.state.encode(), state.encode()):
            raise HTTPError(403, "This is not where this browser began: begin at /sign-in")
        self.clear_cookie("attempt")
        return attempt

    async def claims(self, code: str, verifier: str) -> dict[str, Any]:
        """Return what the provider says about the one who got this code.

        Raises:
            BackendError: it failed.
            HTTPError: a 403; it does not take the code.
        """
        where = await self.configuration()
        form = urlencode(trade(code, self.callback, verifier))
        response = await self.ask(where["token_endpoint"], method="POST", body=form)
        # The status says only that something is wrong; 200 has `said_of` read it all the same.
        if response.code == 400 and said_of("error", 200, response.body) == "invalid_grant":
            raise HTTPError(403, "The provider takes this code no more, or not from here.")
        id_token = said_of("id_token", response.code, response.body)
        [keys] = await self.said(where["jwks_uri"], "keys")
        return claims_of(id_token, keys, issuer=where["issuer"], client=KEY)


def trade(code: str, callback: str, verifier: str) -> dict[str, str]:
    """Return the form that brings a code to the provider, which gives an ID token for it.

    Args:
        code: the code.
        callback: the address to which the provider has sent the browser with it.
        verifier: that of the attempt.
    """
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback,
        "client_id": KEY,
        "client_secret": SECRET,
        "code_verifier": verifier,
    }


def make_app(provider: str = "", deadline: float = 5.0) -> Application:
    """Make the application.

    Args:
        provider: address of an OpenID provider that takes `providers.KEY` and `SECRET`, such
            as "http://127.0.0.1:9400"; empty starts one, for as long as the application runs.
        deadline: seconds that the provider has for all that a request needs of it.

    Raises:
        ValueError: an argument is not what it should be.
    """
    return signing_in_app(
        [("/sign-in", SignInHandler), ("/signed-in", SignedInHandler)],
        provider,
        openid_provider,
        deadline,
    )


if __name__ == "__main__":
    sys.exit(main(make_app))
