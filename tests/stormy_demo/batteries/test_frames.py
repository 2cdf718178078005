"""A frame that is made once is what `write_message` would have sent, to every connection."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect

from loopfilm import running
from stormy_demo.batteries.frames import text_frame, write_frame
from tests.stormy_demo.batteries.test_chat import HANDSHAKE, masked, socket_url

pytestmark = pytest.mark.usefixtures("no_noise")

# Bytes, on both sides of the places where a frame says its size in another way.
SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]


class Plain(WebSocketHandler):
    def open(self) -> None:
        for size in SIZES:
            assert write_frame(self, text_frame(b"x" * size), 1 << 20)
        self.write_message("between")
        frames = [text_frame(each.encode()) for each in ("some", "at", "once")]
        assert write_frame(self, b"".join(frames), 1 << 20)
        self.close()
        # From here on it does nothing, and says that there is no need to send anybody away.
        assert write_frame(self, text_frame(b"too late"), 1)


class Compressing(Plain):
    def get_compression_options(self) -> dict[str, int]:
        return {}


@pytest.mark.parametrize("offer", [None, {}], ids=["plain", "compression"])
@pytest.mark.parametrize("handler", [Plain, Compressing])
async def test_a_client_reads_it(
    handler: type[WebSocketHandler], offer: dict[str, int] | None
) -> None:
    async with running(Application([("/socket", handler)])) as url:
        client = await websocket_connect(socket_url(url), compression_options=offer)
        assert [len(str(await client.read_message())) for _ in SIZES] == SIZES
        rest = [await client.read_message() for _ in range(5)]
        assert rest == ["between", "some", "at", "once", None]
        client.close()


async def test_behind_a_close_nothing_is_written() -> None:
    class Closing(WebSocketHandler):
        def open(self) -> None:
            # As Tornado does when a ping is not answered: the handler is not told yet.
            assert self.ws_connection
            self.ws_connection.close(1000)
            assert write_frame(self, text_frame(b"too late"), 1)

    async with running(Application([("/socket", Closing)])) as url:
        place = urlsplit(url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked(0x88, b""))
        assert await reader.read() == b"\x88\x02\x03\xe8"
        writer.close()
