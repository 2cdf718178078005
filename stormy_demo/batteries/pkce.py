"""PKCE: a code is worth something only to the one who asked for it.

Whoever begins to sign in thinks of a verifier, and shows the provider its hash, the challenge.
The code comes back through a browser, where others may see it; the verifier goes with it to the
provider by another way, and nobody finds a verifier that fits to a hash.
"""

from __future__ import annotations

import base64
import hashlib
import secrets


def new_verifier() -> str:
    """Return a verifier: 43 characters that nobody guesses."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """Return the challenge of a verifier, by the method that is called S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
