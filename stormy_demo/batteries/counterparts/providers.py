"""The two who know people: an OpenID provider, and what Twitter was in 2013. On this machine.

Both are written for WSGI, and so each request of theirs holds a thread. They have threads of
their own, and the loop has its own.
"""

from __future__ import annotations

import functools
import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from loopfilm import LOCALHOST

from ..missing_parts import missing_part

try:
    # It imports parts of Authlib that are to be replaced, which is no business of ours.
    with warnings.catch_warnings(record=True):
        import oidc_provider_mock  # type: ignore[import-untyped]
    from flask import Flask, Response
except ImportError as error:
    raise missing_part(error) from error

from .oauth1_provider import oauth1_app
from .provider_pkce import demand_verifiers
from .wsgi_threads import running_wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What the application is called at the providers, and the secret that only they share. Outside
# of a lesson, the provider gives both, and the secret is in no source code.
KEY, SECRET = "stormy", "not a secret: on this machine everybody may read it"

# The pages of the mock have their style from a server far away, which would hear of each visit.
STYLE_FROM_ELSEWHERE = re.compile(rb"<link\b[^>]*>\s*")

# Authlib tells a log that wants to know everything the tokens, too.
logging.getLogger("authlib").setLevel(logging.INFO)
# Where no log is set up, Python would print what the mock says of each refusal.
logging.getLogger("oidc_provider_mock").addHandler(logging.NullHandler())


def nobody(_: str) -> None:
    """Hear nothing."""


@contextmanager
def openid_provider(
    heard: Callable[[str], object] = nobody, *, pkce: bool = True
) -> Iterator[str]:
    """Run an OpenID provider that believes what people say their names are.

    Args:
        heard: told of each request, such as "browser → provider: GET /oauth2/authorize", in a
            thread of the provider.
        pkce: whether it asks for the verifier; oidc-provider-mock by itself does not.

    Yields:
        Its address.
    """
    app: Flask = oidc_provider_mock.app()
    app.debug = False
    app.after_request(_from_here_alone)
    if pkce:
        demand_verifiers(app)
    # Without the debugger that the mock puts in front, which shows the world its source.
    app.wsgi_app = functools.partial(Flask.wsgi_app, app)  # type: ignore[method-assign]
    with _running(app, heard) as url:
        yield url


@contextmanager
def twitter_provider(heard: Callable[[str], object] = nobody) -> Iterator[str]:
    """Run a provider of OAuth 1.0a that believes what people say their names are.

    Args:
        heard: told of each request, as by `openid_provider`.

    Yields:
        Its address.
    """
    with _running(oauth1_app(KEY, SECRET), heard) as url:
        yield url


@contextmanager
def _running(app: Flask, heard: Callable[[str], object]) -> Iterator[str]:
    # Whoever comes by another name is no browser that was sent here.
    app.config["TRUSTED_HOSTS"] = [LOCALHOST]
    with running_wsgi(_noted(app, heard)) as url:
        yield url


def _from_here_alone(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.set_data(STYLE_FROM_ELSEWHERE.sub(b"", response.get_data()))
    return response


def _noted(app: WSGIApplication, heard: Callable[[str], object]) -> WSGIApplication:
    def noting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[Any]:
        agent = environ.get("HTTP_USER_AGENT", "")
        # All browsers say that they are Mozilla, for reasons of the nineties.
        who = "browser" if agent.startswith("Mozilla") else "app"
        heard(f"{who} → provider: {environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return app(environ, start_response)

    return noting
