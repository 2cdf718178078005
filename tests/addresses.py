"""Addresses for tests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nobody_listens() -> Iterator[str]:
    """Give an address at which every connection is refused, as long as the block lasts.

    The port is taken all the while: a free one may be that of another test a moment later.
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
