"""What every server here answers, so that they differ in how they serve, and in nothing else.

| path | answer |
|---|---|
| `/` | hello |
| `/report` | hello's opposite: a handler that does some work of its own, `report` |
| `/resource` | what a backend says of somebody, as JSON: `resource` |

A server makes the bytes with these functions, and sends them under these two types, with
their length, the date and its own name. So how a framework writes JSON is not compared. When
a backend fails, each framework answers in its own way; what measures refuses that.
"""

from __future__ import annotations

import json

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
HELLO = b"Hello, world"

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
        said: what the backend answered, an object as JSON.

    Raises:
        ValueError: it is no JSON.
    """
    return json.dumps({"user": USER, **json.loads(said)}).encode()


def report() -> bytes:
    """Return who of those that are stored has how many points, the most first.

    It does what handlers do: it reads what is stored, chooses, sorts, and writes it again.
    """
    found = [one for one in json.loads(STORED) if one["place"] == "here"]
    found.sort(key=lambda one: (-one["score"], one["name"]))
    lines = [{"rank": rank, **one} for rank, one in enumerate(found, 1)]
    return json.dumps({"place": "here", "people": lines}, indent=1).encode()
