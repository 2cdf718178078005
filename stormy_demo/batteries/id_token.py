"""What an ID token says, and whether to believe it.

It is the word of the provider, signed, about who signed in, to which application, in answer to
which question. That is why we ask for it and not for `userinfo`: that one says whose an access
token is, and not for whom it was made, so that a token which somebody gave to another
application would do here too.
"""

from __future__ import annotations

from typing import Any

from stormy_demo.agreed import NotUnderstood

from .missing_parts import missing_part

try:
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet
except ImportError as error:
    raise missing_part(error) from error

# Whose clock is right? Seconds by which they may differ.
LEEWAY = 60


def claims_of(id_token: Any, keys: Any, *, issuer: str, client: str) -> dict[str, Any]:
    """Return what an ID token says, once it is certain who says it, and to whom.

    Args:
        id_token: what the provider gave as one.
        keys: what it gave as its keys.
        issuer: the provider.
        client: what the provider calls this application.

    Raises:
        NotUnderstood: the keys are none, or none of them has signed it, or it is for another
            application, or too old, or of somebody else.
    """
    expected = jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        # The token says by which method it is signed, and "none" is one of them.
        # Its keys are RSA; a provider may have others, also of kinds that nobody knows yet.
        usable = [key for key in keys if key["kty"] == "RSA"]
        token = jwt.decode(id_token, KeySet.import_key_set({"keys": usable}), ["RS256"])
        expected.validate(token.claims)
    except (JoseError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        # What is no key at all fails in many ways.
        raise NotUnderstood from None
    # A token that is also for others could have come from them.
    if token.claims["aud"] not in (client, [client]):
        raise NotUnderstood
    return token.claims
