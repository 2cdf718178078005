"""The headers of a request, written down at once.

urllib3 and the standard library look at each of them several times, with a call of
`putheader` for each. Nearly all headers are plain text; those of a request that has no other
ones are written here, byte for byte as there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from urllib3.util import SKIP_HEADER

PLAIN = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t -~\xa0-\xff]*\r\n)*").fullmatch


class Block(bytes):
    """Lines of headers, to be put where `putheader` would put one."""


class Written(dict[str, str]):
    """The headers of a request; whoever goes through their items is given all in one block."""

    block: Block

    def items(self) -> Any:
        """Return the block in the place of a name."""
        return ((self.block, ""),)


def written(headers: Any) -> Any:
    """Return headers that are already written down, or the same if one is not plain.

    Args:
        headers: what urllib3 is given for a request.
    """
    if type(headers) is not dict or not headers:
        return headers
    lines = _lines(headers.items())
    # A line break in one of them would make more lines of it.
    if not PLAIN(lines) or lines.count("\n") != len(headers) or SKIP_HEADER in lines:
        return headers
    ready = Written(headers)
    # The last line gets its end from the standard library.
    ready.block = Block(lines[:-2].encode("iso-8859-1"))
    return ready


def _lines(headers: Iterable[tuple[Any, Any]]) -> str:
    # Of bytes this makes something with a quotation mark in it, which a name may have.
    plain = all(type(name) is str and type(value) is str for name, value in headers)
    return "".join(f"{name}: {value}\r\n" for name, value in headers) if plain else "\n"
