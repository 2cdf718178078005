"""The chat, with people on a WebSocket and people on the long poll, and what they do wrong."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.web import Application, HTTPError
from tornado.websocket import WebSocketClientConnection, websocket_connect

from loopfilm import handlers_at_work, running
from stormy_demo.batteries import chat
from stormy_demo.batteries.room import Message, Room
from stormy_demo.program import main
from tests import quick_start
from tests.bad_clients import Visit, http_requests, serving, visits
from tests.paths import ROOT

pytestmark = pytest.mark.usefixtures("no_noise")

# Seconds that no machine is too busy for.
LONG = 500

FOREIGN = {"Origin": "http://elsewhere.example"}
OLD_PAGE = {"Origin": "null"}
NEW_BROWSER = {"Origin": "http://elsewhere.example", "Sec-Fetch-Site": "cross-site"}


def socket_url(url: str, **arguments: str) -> str:
    return url.replace("http", "ws", 1) + "/socket?" + urlencode(arguments)


HANDSHAKE = (
    b"GET /socket?name=ada HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def masked(first: int, data: bytes, size: int | None = None) -> bytes:
    """Return a frame from a client, whose mask changes nothing, and whose size may be a lie."""
    size = len(data) if size is None else size
    if size < 126:
        head = bytes([first, 0x80 | size])
    elif size < 1 << 16:
        head = bytes([first, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + data


PING = masked(0x89, b"are you there?")


class People:
    """Those who talk, as they see the room from outside."""

    def __init__(self, url: str, room: Room, app: Application) -> None:
        self.url, self.room, self.app = url, room, app
        self.http = AsyncHTTPClient(force_instance=True, max_clients=100)
        self.clients = list[WebSocketClientConnection]()

    async def enter(
        self, name: str, headers: dict[str, str] | None = None, **arguments: str
    ) -> WebSocketClientConnection:
        """Come in by WebSocket, and be in the room."""
        before = len(self.room.members)
        address = socket_url(self.url, name=name, **arguments)
        client = await websocket_connect(HTTPRequest(address, headers=headers))
        self.clients.append(client)
        await until(lambda: len(self.room.members) > before)
        return client

    async def get(self, path: str, **arguments: str) -> HTTPResponse:
        address = f"{self.url}{path}?{urlencode(arguments)}"
        return await self.http.fetch(address, request_timeout=LONG, raise_error=False)

    async def news(self, since: str = "") -> list[dict[str, str]]:
        """Ask once, by long poll."""
        answer = await self.get("/news", since=since)
        assert answer.headers["Content-Type"] == "application/json"
        found: list[dict[str, str]] = json.loads(answer.body)
        return found

    async def say(
        self, name: str, text: str, headers: dict[str, str] | None = None
    ) -> HTTPResponse:
        return await self.post(urlencode({"name": name, "text": text}), headers)

    async def post(self, body: str, headers: dict[str, str] | None = None) -> HTTPResponse:
        return await self.http.fetch(
            f"{self.url}/say", method="POST", body=body, headers=headers, raise_error=False
        )

    def polls(self) -> int:
        """Return how many people the server keeps waiting for news."""
        at_work = handlers_at_work(self.app, asyncio.get_running_loop())
        return sum(isinstance(each, chat.NewsHandler) for each in at_work.values())


@asynccontextmanager
async def talking(
    room: Room | None = None, patience: float = LONG, **settings: Any
) -> AsyncIterator[People]:
    room = room or Room()
    app = chat.make_app(room, patience, **settings)
    async with running(app) as url:
        people = People(url, room, app)
        yield people
        people.http.close()
        for client in people.clients:
            client.close()
    assert not room.members


async def until(holds: Any) -> None:
    """Let the loop go round until something holds; a test that waits in vain is ended."""
    while not holds():
        await asyncio.sleep(0.001)


async def heard(client: WebSocketClientConnection, number: int = 1) -> list[str]:
    messages = [json.loads(await client.read_message() or "null") for _ in range(number)]
    return [message["text"] for message in messages]


def sentence(answer: HTTPResponse) -> str:
    found: str = json.loads(answer.body)["error"]
    return found


# -- who hears what ----------------------------------------------------------------------------


async def test_all_hear_the_same_by_whichever_way_they_came() -> None:
    async with talking() as people:
        ada, grace = await people.enter("ada"), await people.enter("grace")
        alan = asyncio.create_task(people.news())
        await until(people.polls)

        await ada.write_message("by WebSocket")
        [first] = await alan
        assert (first["name"], first["text"]) == ("ada", "by WebSocket")
        assert (await people.say("alan", "by POST")).code == 204
        [second] = await people.news(first["id"])
        assert (second["name"], second["text"]) == ("alan", "by POST")

        assert await heard(ada, 2) == await heard(grace, 2) == ["by WebSocket", "by POST"]


async def test_who_comes_late_hears_what_was_said_last() -> None:
    async with talking(Room(history=2)) as people:
        for text in ["one", "two", "three"]:
            await people.say("ada", text)
        assert await heard(await people.enter("grace"), 2) == ["two", "three"]
        assert [each["text"] for each in await people.news()] == ["two", "three"]


async def test_who_comes_back_hears_what_they_missed() -> None:
    async with talking() as people:
        for text in ["one", "two", "three"]:
            await people.say("ada", text)
        first, *_ = await people.news()
        back = await people.enter("grace", since=first["id"])
        assert await heard(back, 2) == ["two", "three"]


async def test_blanks_around_a_text_are_not_said_and_blanks_alone_are_nothing() -> None:
    async with talking() as people:
        ada = await people.enter("ada")
        for text in ["", "  ", "\n", "  hello\n"]:
            await ada.write_message(text)
        assert await heard(ada) == ["hello"]


async def test_control_characters_are_blanks_by_whichever_way_they_came() -> None:
    everything = "".join(map(chr, range(1, 160)))
    async with talking() as people:
        ada = await people.enter("ada")
        for text in ["a\0b\x07", everything]:
            await ada.write_message(text)
            [by_socket] = await heard(ada)
            assert (await people.say("ada", text)).code == 204
            assert await heard(ada) == [by_socket]
        await ada.write_message("\0")
        await ada.write_message("a\0b\x07")
        assert await heard(ada) == ["a b"]


async def test_the_frame_also_suits_who_has_agreed_on_compression(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat.SocketHandler, "get_compression_options", lambda _: {})
    async with talking() as people:
        address = socket_url(people.url, name="ada")
        ada = await websocket_connect(address, compression_options={})
        assert ada.headers and "Sec-WebSocket-Extensions" in ada.headers
        await ada.write_message("hello" * 50)
        assert await heard(ada) == ["hello" * 50]
        ada.close()


# -- the long poll -----------------------------------------------------------------------------


async def test_when_nothing_is_new_a_poll_ends_with_nothing() -> None:
    async with talking(patience=0.01) as people:
        assert await people.news() == []


async def test_who_leaves_the_long_poll_is_not_waited_for() -> None:
    async with talking() as people:
        place = urlsplit(people.url)
        _, leaver = await asyncio.open_connection(place.hostname, place.port)
        leaver.write(b"GET /news HTTP/1.1\r\nHost: here\r\n\r\n")
        await until(people.polls)
        leaver.close()
        await until(lambda: not people.polls())


@pytest.mark.parametrize("told", ["on_connection_close", "stop_waiting"])
async def test_a_poll_that_is_told_before_it_begins_ends_at_once(told: str) -> None:
    class Gone(chat.NewsHandler):
        def prepare(self) -> None:
            getattr(self, told)()

    arguments = {"room": Room(), "patience": LONG}
    async with running(Application([("/news", Gone, arguments)])) as url:
        answer = await AsyncHTTPClient().fetch(f"{url}/news", request_timeout=LONG)
        assert answer.body == b"[]"


async def test_a_client_may_also_leave_when_the_answer_is_there() -> None:
    class Leaving(chat.NewsHandler):
        def answer(self, messages: list[Message]) -> None:
            self.on_connection_close()
            super().answer(messages)

    arguments = {"room": Room(), "patience": 0.01}
    async with running(Application([("/news", Leaving, arguments)])) as url:
        assert (await AsyncHTTPClient().fetch(f"{url}/news")).body == b"[]"


async def test_an_answer_is_not_kept_for_the_next_who_asks() -> None:
    async with talking(patience=0.01) as people:
        assert (await people.get("/news")).headers["Cache-Control"] == "no-store"


# -- those who leave, and those who do not read ------------------------------------------------


async def test_who_closes_or_breaks_a_connection_is_out_of_the_room() -> None:
    async with talking() as people:
        stays = await people.enter("ada")
        closes, breaks = await people.enter("grace"), await people.enter("alan")
        closes.close()
        assert breaks.protocol and breaks.protocol.stream
        breaks.protocol.stream.close()
        await until(lambda: len(people.room.members) == 1)
        await people.say("ada", "still here")
        assert await heard(stays) == ["still here"]


async def test_who_asks_thrice_and_has_gone_by_then_is_no_error() -> None:
    async with talking() as people:
        place = urlsplit(people.url)
        with socket.create_connection((place.hostname, place.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n" * 3)
        assert (await people.get("/")).code == 200


async def test_who_is_silent_is_asked_whether_they_are_there() -> None:
    async with talking() as people:
        await people.enter("ada")
        [handler] = people.room.members
        assert isinstance(handler, chat.SocketHandler)
        assert handler.ws_connection and handler.ws_connection.stream
        connection = handler.ws_connection.stream.socket
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def enter_and_read_nothing(people: People) -> socket.socket:
    """Come in with a connection that nobody reads."""
    place, before = urlsplit(people.url), len(people.room.members)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, (place.hostname, place.port))
    await asyncio.get_running_loop().sock_sendall(client, HANDSHAKE)
    await until(lambda: len(people.room.members) > before)
    return client


async def read_until(client: socket.socket, end: bytes = b"") -> bytes:
    """Read until something has come, or, with no end, until the server closes."""
    all_of_it = bytearray()
    while not (end and all_of_it.endswith(end)):
        data = await asyncio.get_running_loop().sock_recv(client, 1 << 20)
        assert data or not end
        if not data:
            break
        all_of_it += data
    return bytes(all_of_it)


async def test_a_slow_reader_is_sent_away_and_the_others_go_on() -> None:
    async with talking(Room(most_waiting=1 << 16)) as people:
        ada = await people.enter("ada")
        with await enter_and_read_nothing(people) as slow:
            await asyncio.get_running_loop().sock_sendall(slow, PING)
            for _ in range(50):
                # What the system takes for somebody who does not read is a few megabytes.
                await people.room.say("grace", "x" * 1_000_000)
                await people.room.say("grace", "x")
                assert await heard(ada, 2) == ["x" * 1_000_000, "x"]
                if len(people.room.members) == 1:
                    break
            await people.room.say("grace", "and now?")
            assert await heard(ada) == ["and now?"]
            assert len(people.room.members) == 1
            # Behind all that had been sent stands why, and nothing stands behind that.
            reason = b"\x03\xf5You read too slowly."
            close = bytes([0x88, len(reason)]) + reason
            said = await read_until(slow, close)
            assert b"and now?" not in said
            await asyncio.get_running_loop().sock_sendall(slow, masked(0x88, b""))
            assert await read_until(slow) == b""


async def test_after_a_close_nothing_else_is_sent() -> None:
    async with talking() as people:
        with await enter_and_read_nothing(people) as client:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, masked(0x82, b"no text"))
            await read_until(client, b"\x88\x0c\x03\xebSend text.")
            await people.room.say("ada", "hello")
            await loop.sock_sendall(client, masked(0x88, b""))
            assert await read_until(client) == b""


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [FOREIGN, OLD_PAGE, NEW_BROWSER])
async def test_a_page_of_another_site_neither_listens_nor_speaks(
    headers: dict[str, str],
) -> None:
    async with talking() as people:
        with pytest.raises(HTTPClientError) as refused:
            await people.enter("mallory", headers)
        assert refused.value.code == 403
        assert (await people.say("mallory", "hello", headers)).code == 403
        assert people.room.since("") == []


async def test_its_own_page_may_do_both_and_so_may_one_that_the_settings_trust() -> None:
    async with talking(trusted_origins=["http://elsewhere.example"]) as people:
        for headers in [FOREIGN, {"Origin": people.url}]:
            await people.enter("ada", headers)
            assert (await people.say("ada", "hello", headers)).code == 204


NO_NAME = "name must have from 1 to 40 letters, as in ?name=ada"
ONCE = "name must be given once"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", NO_NAME),
        ("name=", NO_NAME),
        ("name=%20", NO_NAME),
        ("name=" + "a" * 41, NO_NAME),
        ("name=ada&name=grace", ONCE),
        ("name=%ff", "name"),
        ("name=ada&since=1&since=2", "since must be given once"),
    ],
)
async def test_who_has_no_name_does_not_come_in(query: str, reason: str) -> None:
    async with talking() as people:
        address = socket_url(people.url) + query
        with pytest.raises(HTTPClientError) as refused:
            await websocket_connect(address)
        assert refused.value.code == 400
        assert refused.value.response
        assert reason in sentence(refused.value.response)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("text=hello", ONCE),
        ("name=ada&name=grace&text=hello", ONCE),
        ("name=&text=hello", NO_NAME),
        ("name=ada", "text must be given once"),
        ("name=ada&text=hello&text=hello", "text must be given once"),
        ("name=ada&text=%20", "text must have from 1 to 1000 letters"),
        ("name=ada&text=" + "x" * 1001, "text must have from 1 to 1000 letters"),
        ("name=ada&text=%ff", "text"),
        ("&".join("x=1" for _ in range(2000)), "The form cannot be read."),
    ],
)
async def test_what_is_not_said_by_post(body: str, reason: str) -> None:
    async with talking() as people:
        answer = await people.post(body)
        assert answer.code == 400
        assert reason in sentence(answer)
        assert people.room.since("") == []


@pytest.mark.parametrize("size", [b"Content-Length: 20001", b"Transfer-Encoding: chunked"])
async def test_a_form_that_is_far_too_large_is_not_read(size: bytes) -> None:
    async with talking() as people:
        place = urlsplit(people.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(b"POST /say HTTP/1.1\r\nHost: here\r\n" + size + b"\r\n\r\n4e21\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_the_longest_text_is_said_in_whatever_letters() -> None:
    async with talking() as people:
        ada = await people.enter("ada")
        await ada.write_message("🌩" * 1000)
        assert (await people.say("ada", "🌩" * 1000)).code == 204
        assert await heard(ada, 2) == ["🌩" * 1000] * 2


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        (b"bytes", 1003, "Send text."),
        ("x" * 1001, 1009, "A message has 1000 letters at most."),
        ("x" * 4001, 1009, "message too big"),
    ],
    ids=["no text", "too long", "far too long"],
)
async def test_what_ends_a_websocket(message: str | bytes, code: int, reason: str) -> None:
    async with talking() as people:
        ada = await people.enter("ada")
        await ada.write_message(message, binary=isinstance(message, bytes))
        assert await ada.read_message() is None
        assert (ada.close_code, ada.close_reason) == (code, reason)
        assert people.room.since("") == []


async def test_who_is_told_that_it_is_closed_says_no_more() -> None:
    async with talking() as people:
        with await enter_and_read_nothing(people) as client:
            loop = asyncio.get_running_loop()
            too_long, hello = masked(0x81, b"x" * 1001), masked(0x81, b"hello")
            await loop.sock_sendall(client, too_long + hello + masked(0x88, b""))
            await read_until(client)
            assert people.room.since("") == []


async def test_when_nothing_can_be_said_whoever_tried_is_told_so() -> None:
    class Broken(Room):
        async def say(self, name: str, text: str) -> None:
            raise HTTPError(503, "Say it again later.")

    async with talking(Broken()) as people:
        ada = await people.enter("ada")
        await ada.write_message("hello")
        assert await ada.read_message() is None
        assert (ada.close_code, ada.close_reason) == (1013, "Say it again later.")
        answer = await people.say("ada", "hello")
        assert answer.code == 503
        assert sentence(answer) == "Say it again later."


async def test_who_only_listens_takes_little_memory() -> None:
    async with talking() as people:
        await people.enter("ada")
        [handler] = people.room.members
        assert isinstance(handler, chat.SocketHandler)
        # From 31 on, Python keeps the attributes of an object in another way.
        assert len(vars(handler)) <= 30
        assert not handler.request.headers and not handler.request.arguments


# -- bad clients -------------------------------------------------------------------------------

FRAMES = st.one_of(
    st.builds(
        masked,
        st.sampled_from([0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8A, 0x83, 0xC1, 0x08]),
        st.one_of(
            st.binary(max_size=130),
            st.text(max_size=20).map(str.encode),
            st.sampled_from([b"\x03\xe8\xff", b"\0\0", b"\x03", b"x" * 4001]),
        ),
        st.sampled_from([None, None, None, 0, 5, 126, 4000, 1 << 16, (1 << 64) - 1]),
    ),
    st.binary(max_size=12),
)
ON_A_SOCKET = st.lists(FRAMES, max_size=5).map(lambda frames: HANDSHAKE + b"".join(frames))
BY_HTTP = http_requests(["/", "/socket", "/news", "/say"], ["name", "text", "since"])


def test_whatever_a_client_does_the_next_one_is_served() -> None:
    room = Room()
    app = chat.make_app(room, patience=0.01)

    with serving(lambda: running(app)) as server:

        @settings(
            max_examples=80, deadline=None, suppress_health_check=[*HealthCheck], database=None
        )
        @given(visits(BY_HTTP | ON_A_SOCKET))
        def test(visit: Visit) -> None:
            server.survives(visit, "/news")

        test()
    assert room.members == set()


# -- the program -------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_the_program_says_where_it_is_and_ends_when_it_is_told_to() -> None:
    command = [sys.executable, "-m", "stormy_demo.batteries.chat", "--port=0", "--history=5"]
    with quick_start.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        url = program.stdout.readline().split()[2]

        async def visit() -> None:
            http = AsyncHTTPClient()
            page = await http.fetch(url)
            assert b"<title>Chat</title>" in page.body
            client = await websocket_connect(socket_url(url, name="ada"))
            await client.write_message("hello")
            assert await heard(client) == ["hello"]
            program.send_signal(signal.SIGTERM)
            assert await client.read_message() is None
            client.close()

        asyncio.run(visit())
        assert program.wait(LONG) == 0


@pytest.mark.parametrize(
    "option", ["--history=0", "--patience=0", "--patience=nan", "--room=x"]
)
def test_the_program_refuses_what_makes_no_chat(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(chat.make_program, ["", option]) == 2
    assert "must be" in capsys.readouterr().err or option == "--room=x"
