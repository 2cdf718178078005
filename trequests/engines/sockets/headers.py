"""The headers of an answer, read without the parser for e-mail.

That is what the standard library reads them with, and it is no small part of what a request
costs. Nearly all headers are plain lines with a name and a value; whatever is not goes to that
parser as ever.
"""

from __future__ import annotations

import http.client
import inspect
import re
import types
from email.parser import Parser
from typing import Any

PLAIN = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*)\r\n").fullmatch


def parse_headers(fp: Any) -> http.client.HTTPMessage:
    """Read headers, see `http.client.parse_headers`.

    Raises:
        http.client.HTTPException: there are too many, or one is too long.
    """
    lines = http.client._read_headers(fp)  # type: ignore[attr-defined]
    message = http.client.HTTPMessage()
    for line in lines[:-1]:
        plain = PLAIN(line)
        if plain is None:
            text = b"".join(lines).decode("iso-8859-1")
            return Parser(_class=http.client.HTTPMessage).parsestr(text)
        name, value = plain.groups()
        message.set_raw(name.decode("ascii"), value.decode("iso-8859-1"))
    message.set_payload("")
    return message


class PoliteResponse(http.client.HTTPResponse):
    """An `http.client.HTTPResponse` that reads its headers with the function above."""

    if list(inspect.signature(http.client.HTTPResponse.begin).parameters) == ["self"]:
        # The standard library's own, to which that name now means ours. A later one, which
        # hands on more than there is today, is left as it is.
        begin = types.FunctionType(
            http.client.HTTPResponse.begin.__code__,
            {**vars(http.client), "parse_headers": parse_headers},
        )
