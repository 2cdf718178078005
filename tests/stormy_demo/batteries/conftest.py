"""What the tests of the batteries share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tornado.websocket import WebSocketClientConnection


@pytest.fixture(autouse=True)
def no_client_is_left_to_the_collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let go of the WebSockets of a test, whose loop and server are gone by then.

    Tornado complains of each that nobody has closed, in whichever test runs when it is noticed.
    """
    made: list[WebSocketClientConnection] = []
    make = WebSocketClientConnection.__init__

    def noted(client: WebSocketClientConnection, *args: Any, **kwargs: Any) -> None:
        make(client, *args, **kwargs)
        made.append(client)

    monkeypatch.setattr(WebSocketClientConnection, "__init__", noted)
    yield
    for client in made:
        client.protocol = None  # type: ignore[assignment]
        # One that is refused leaves its connection to the server, which has ended.
        stream = getattr(client, "stream", None)
        if stream and stream.socket:
            stream.socket.close()
