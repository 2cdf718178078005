"""PKCE for oidc-provider-mock, which hands out codes, and never asks who began.

With a code goes the challenge that came with the question for it; whoever brings the code must
bring the verifier of which that is the hash.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from ..missing_parts import missing_part
from ..pkce import challenge_of

try:
    from flask import Flask, Response, request
except ImportError as error:
    raise missing_part(error) from error


def demand_verifiers(app: Flask) -> None:
    """Have an OpenID provider refuse a code that comes without its verifier.

    Args:
        app: an application of oidc-provider-mock.
    """
    challenges: dict[str, str] = {}

    @app.after_request
    def keep_challenge(response: Response) -> Response:
        if request.path == "/oauth2/authorize" and response.location:
            for code in parse_qs(urlsplit(response.location).query).get("code", []):
                challenges[code] = request.args.get("code_challenge", "")
        return response

    @app.before_request
    def check_method() -> tuple[dict[str, str], int] | None:
        hashed = request.args.get("code_challenge_method") == "S256"
        if request.path == "/oauth2/authorize" and ("code_challenge" in request.args) != hashed:
            return {"error": "invalid_request"}, 400
        return None

    @app.before_request
    def check_verifier() -> tuple[dict[str, str], int] | None:
        if request.path != "/oauth2/token":
            return None
        # Taken away, so that nobody can try another verifier.
        challenge = challenges.pop(request.form.get("code", ""), None)
        verifier = request.form.get("code_verifier", "")
        # A client that sent no challenge has no verifier, and one that has a verifier sent a
        # challenge: whoever took that out of the question shall gain nothing.
        fits = challenge == (challenge_of(verifier) if verifier else "")
        return None if fits else ({"error": "invalid_grant"}, 400)
