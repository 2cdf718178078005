"""What was agreed with the backend, and what a client is told when it does something else.

No way of waiting is in here, and no HTTP client, so that all styles judge by the same rules.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

# Python reads, and writes, what is nested no deeper than its stack allows. That depends on who
# calls; this does not.
DEEPEST = 100
LARGEST = 10_000_000  # bytes of a body
# Tornado takes a header of so many bytes, and http.client so many fields.
LARGEST_HEAD = 65536
MOST_FIELDS = 99

NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
LENGTH = re.compile(r"[0-9]{1,18}(,[ \t]*[0-9]{1,18})*")
SPACE = " \t"


class BackendError(Exception):
    """The backend did something that was not agreed.

    Attributes:
        status: the HTTP status that a client gets because of it.
    """

    status = 502


class TooLate(BackendError):
    """The backend used up its time."""

    status = 504

    def __init__(self) -> None:
        """Say so."""
        super().__init__("The backend did not answer in time.")


class OtherStatus(BackendError):
    """The backend answered that it has no answer."""

    def __init__(self, code: int) -> None:
        """Say which status it gave."""
        super().__init__(f"The backend answered {code}.")


class NotUnderstood(BackendError):
    """The backend answered something else than JSON about what it was asked."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("The backend did not answer in the JSON that was agreed.")


class NoAnswer(BackendError):
    """No answer came, or a part of one, or what is no HTTP, or too large, to our client."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(
            "The backend could not be reached, hung up, or sent what could not be read."
        )


def is_proper(status: int, fields: Iterable[tuple[str, str]]) -> bool:
    """Return whether the head of an answer is one that HTTP allows, and not too large.

    One HTTP client forgives what another takes for a broken connection. This is what the
    strictest of ours takes.

    Args:
        status: the HTTP status of the answer.
        fields: the names and values of its header.
    """
    fields = list(fields)
    # As it stands there: http.client takes none with a blank behind it for chunks.
    encodings = [value.lower() for name, value in fields if name.lower() == "transfer-encoding"]
    fields = [(name, value.strip(SPACE)) for name, value in fields]
    lengths = [value for name, value in fields if name.lower() == "content-length"]
    return (
        200 <= status <= 999
        and len(fields) <= MOST_FIELDS
        and sum(len(name) + len(value) + len(": \r\n") for name, value in fields)
        <= LARGEST_HEAD
        and all(NAME.fullmatch(name) and VALUE.fullmatch(value) for name, value in fields)
        and all(LENGTH.fullmatch(length) for length in lengths)
        and encodings in ([], ["chunked"])
        and not (encodings and lengths)
        # There is no body then, so nothing may say that there is one.
        and not (status == 204 and (encodings or set(lengths) - {"0"}))
    )


def said_of(thing: str, status: int, body: bytes) -> Any:
    """Return what an answer of the backend says of this thing.

    It was agreed that the status is one of success, and the body a JSON object in UTF-8, with
    no numbers that JSON does not have. Redirects and compression were not agreed.

    Args:
        thing: "profile", "friends" or "messages".
        status: the HTTP status of the answer.
        body: its body.

    Raises:
        OtherStatus: the status is another one.
        NotUnderstood: the body is something else, or says nothing of this thing.
    """
    if not 200 <= status <= 299:
        raise OtherStatus(status)
    try:
        said = json.loads(body.decode(), parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        raise NotUnderstood from None
    if not isinstance(said, dict) or thing not in said or _is_too_deep(said):
        raise NotUnderstood
    return said[thing]


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number that JSON has")
    return number


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        insides = [v.values() if isinstance(v, dict) else v for v in level]
        level = [v for inside in insides for v in inside if isinstance(v, dict | list)]
    return bool(level)
