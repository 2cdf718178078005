"""What every server here answers, so that they differ in how they serve, and in nothing else.

| path | answer |
|---|---|
| `/` | hello |
| `/report` | hello's opposite: a handler that does some work of its own, `report` |
| `/resource` | what a backend says of somebody, as JSON: `resource` |

A server makes the bytes with these functions, and sends them under these two types, with
their length, the date and its own name. So how a framework writes JSON is not compared. When
the backend fails, the status is 502, or 504 if it took too long, and a sentence says why: that
of a `BackendError`, which all who ask it raise.
"""

from __future__ import annotations

import json

from ..agreed import NotUnderstood

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
HELLO = b"Hello, world"
# What those say that have no framework to say it.
NO_PAGE, ONLY_GET = b"There is no such page.", b"There is only GET here."

USER = "ada"
QUESTION = f"/profile?user={USER}"

PEOPLE = [
    {
        "name": f"person {n}",
        "number": n,
        "place": ["here", "there"][n % 2],
        "score": n * 7 % 101,
    }
    for n in range(120)
]
STORED = json.dumps(PEOPLE)


def resource(said: bytes) -> bytes:
    """Return the answer for somebody.

    Args:
        said: what the backend answered, a profile as JSON.

    Raises:
        NotUnderstood: it is no such thing.
    """
    try:
        profile = json.loads(said)["profile"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NotUnderstood from None
    return json.dumps({"user": USER, "profile": profile}).encode()


def report() -> bytes:
    """Return who of those that are stored has how many points, the most first.

    It does what handlers do: it reads what is stored, chooses, sorts, and writes it again.
    """
    found = [one for one in json.loads(STORED) if one["place"] == "here"]
    found.sort(key=lambda one: (-one["score"], one["name"]))
    lines = [{"rank": rank, **one} for rank, one in enumerate(found, 1)]
    return json.dumps({"place": "here", "people": lines}, indent=1).encode()
