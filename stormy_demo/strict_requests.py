"""What requests leaves to its callers: a limit for all of the time, and for the size.

`requests.get(url, **within(5))` takes nothing but an answer of success, as it comes.
"""

from __future__ import annotations

import functools
import io
import time
from contextlib import closing
from typing import Any

import requests
import urllib3
from requests import exceptions
from urllib3.util.response import assert_header_parsing

from stormy_demo.agreed import (
    LARGEST,
    BackendError,
    NoAnswer,
    OtherStatus,
    TooLate,
    is_proper,
)

PIECE = 65536  # bytes that are taken at once


def within(seconds: float) -> dict[str, Any]:
    """Return the arguments with which requests gives up after so many seconds.

    Its own time-out starts anew with each piece of news. A body that comes in drops is given
    up here. Drops of a header are not, nor one "100 Continue" after the other: requests tells
    nobody of them, and for as long as they come it takes them (newer versions of Python take
    a hundred of the latter, and no more). What waits for the loop can be cancelled meanwhile; a
    thread that blocks, in `blocking`, waits for ever.

    No redirect is followed, nothing is unpacked, and no proxy is asked, whatever the
    environment says. What has another status than one of success raises `requests.HTTPError`,
    what is too large or no proper HTTP `requests.ConnectionError`.

    Args:
        seconds: for everything.
    """
    return {
        "timeout": seconds,
        "stream": True,
        "proxies": {"http": "", "https": ""},
        "headers": {"Accept-Encoding": "identity"},
        "hooks": {"response": functools.partial(_read, end=time.monotonic() + seconds)},
    }


def fault_of(error: requests.RequestException) -> BackendError | None:
    """Return what the backend did when requests raised this; nothing if we made a mistake.

    Args:
        error: what requests raised.
    """
    match error:
        case exceptions.InvalidURL() | exceptions.MissingSchema() | exceptions.InvalidSchema():
            return None
        case exceptions.InvalidJSONError():
            # Nobody who asks the backend calls `json`.
            return None
        case exceptions.Timeout():
            return TooLate()
        case exceptions.HTTPError(response=requests.Response(status_code=code)):
            return OtherStatus(code)
    return NoAnswer()


def _read(response: requests.Response, *, end: float, **_: Any) -> None:
    raw: Any = response.raw
    with closing(raw):
        body = io.BytesIO()
        try:
            # What http.client could not read of a header, it leaves out.
            assert_header_parsing(raw._original_response.msg)
            if not is_proper(response.status_code, raw.headers.iteritems()):
                raise requests.ConnectionError("the answer is no HTTP")
            if time.monotonic() > end:
                raise requests.Timeout("the header came too slowly")
            while piece := raw.read1(PIECE):
                body.write(piece)
                if body.tell() > LARGEST:
                    raise requests.ConnectionError("the answer is too large")
                if time.monotonic() > end:
                    raise requests.Timeout("the answer came too slowly")
        except urllib3.exceptions.ReadTimeoutError as error:
            raise requests.Timeout(error) from error
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error) from error
    if not 200 <= response.status_code <= 299:
        raise requests.HTTPError(f"the answer is {response.status_code}", response=response)
    body.seek(0)
    response.raw = body
