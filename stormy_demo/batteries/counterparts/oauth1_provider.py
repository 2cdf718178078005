"""A provider of OAuth 1.0a, made with Authlib, with the addresses that Twitter had.

Whoever fills in its form is who they say they are. It keeps everything in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..missing_parts import missing_part

try:
    from authlib.integrations.flask_oauth1 import (  # type: ignore[import-untyped]
        AuthorizationServer,
        ResourceProtector,
        create_exists_nonce_func,
        current_credential,
        register_nonce_hooks,
        register_temporary_credential_hooks,
    )
    from authlib.oauth1 import ClientMixin, TemporaryCredential  # type: ignore[import-untyped]
    from authlib.oauth1.errors import OAuth1Error  # type: ignore[import-untyped]
    from flask import Flask, Request, Response, request
except ImportError as error:
    raise missing_part(error) from error

FORM = """<!doctype html>
<html lang="en"><title>Who are you?</title>
<form method="post">
  <label>I am <input name="user" required autofocus></label>
  <button>Sign in</button>
</form>
<form method="post"><button>No, thank you</button></form>
</html>
"""


def oauth1_app(key: str, secret: str) -> Flask:
    """Make the provider.

    Args:
        key: the name of the only application that may ask.
        secret: what that one signs its questions with.
    """
    app = Flask(__name__)
    app.request_class = _Question
    cache = _Cache()
    clients = {key: _Client(secret)}
    tokens: dict[str, TemporaryCredential] = {}
    server = AuthorizationServer(app, query_client=clients.get)
    # As Tornado's mixin asks.
    server.TEMPORARY_CREDENTIALS_METHOD = "GET"
    register_temporary_credential_hooks(server, cache)
    register_nonce_hooks(server, cache)

    def keep_token(token: dict[str, str], earlier: TemporaryCredential) -> TemporaryCredential:
        kept = TemporaryCredential(token, user_id=earlier.get_user_id())
        tokens[token["oauth_token"]] = kept
        return kept

    server.register_hook("create_token_credential", keep_token)
    signed: Callable[[Callable[[], Any]], Callable[[], Any]] = ResourceProtector(
        app,
        query_client=clients.get,
        query_token=lambda _, token: tokens.get(token),
        exists_nonce=create_exists_nonce_func(cache),
    )

    @app.get("/oauth/request_token")
    def request_token() -> Any:
        return server.create_temporary_credentials_response()

    @app.get("/oauth/authenticate")
    def ask_for_name() -> str:
        server.check_authorization_request()
        return FORM

    @app.post("/oauth/authenticate")
    def take_name() -> Any:
        name = request.form.get("user")
        return server.create_authorization_response(grant_user=_User(name) if name else None)

    @app.get("/oauth/access_token")
    def access_token() -> Any:
        return server.create_token_response()

    @app.get("/1.1/account/verify_credentials.json")
    @signed
    def verify_credentials() -> dict[str, str]:
        return {"screen_name": current_credential.get_user_id()}

    @app.errorhandler(OAuth1Error)
    def refuse(error: OAuth1Error) -> Response:
        return server.handle_error_response(error)  # type: ignore[no-any-return]

    @app.errorhandler(ValueError)
    def refuse_what_cannot_be_read(_: ValueError) -> tuple[str, int]:
        # What Authlib raises where no question is, in an address or a header.
        return "error=not_understood", 400

    return app


class _Question(Request):
    @property
    def url(self) -> str:
        # As it was sent, which Authlib insists on. Flask undoes some escapes, for who reads it.
        return f"{self.base_url}?{self.query_string.decode('latin-1')}"


class _Client(ClientMixin):  # type: ignore[misc]
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def get_client_secret(self) -> str:
        return self.secret


class _User:
    def __init__(self, name: str) -> None:
        self.name = name

    def get_user_id(self) -> str:
        return self.name


class _Cache(dict[str, Any]):
    """What Authlib calls a cache; this one is forgotten together with its provider."""

    def set(self, key: str, value: object, timeout: float) -> None:
        self[key] = value

    def has(self, key: str) -> bool:
        return key in self

    def delete(self, key: str) -> None:
        self.pop(key, None)
