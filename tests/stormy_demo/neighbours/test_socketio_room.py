"""A chat by Socket.IO, by long poll or WebSocket, behind a door that refuses what is none."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, websocket_connect

from loopfilm import handlers_at_work, running
from tests import quick_start
from tests.bad_clients import Visit, http_requests, serving, visits
from tests.paths import ROOT

pytest.importorskip("socketio", reason="Socket.IO needs python-socketio")
pytest.importorskip("aiohttp", reason="its client needs aiohttp")

from stormy_demo.neighbours import socketio_door, socketio_room
from stormy_demo.neighbours.counterparts import socketio_person as counterpart
from stormy_demo.neighbours.socketio_door import socketio

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

# Seconds that no machine is too busy for.
LONG = 100
BOTH = pytest.mark.parametrize("way", ["polling", "websocket"])


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something is true."""
    async with asyncio.timeout(LONG):
        while not condition():
            await asyncio.sleep(0.001)


class Person:
    """Somebody in the chat, and what they hear."""

    def __init__(self, client: counterpart.Person) -> None:
        self.client = client

    @property
    def heard(self) -> list[dict[str, Any]]:
        return self.client.heard

    async def say(self, *said: object) -> Any:
        return await self.client.call("say", said, timeout=LONG)

    async def hears(self, *texts: str) -> None:
        assert [m["text"] for m in await self.client.hear(len(texts))] == [*texts]


@asynccontextmanager
async def joined(url: str, way: str = "websocket", **auth: object) -> AsyncIterator[Person]:
    """Have somebody come in, by one way only, and leave at the end."""
    async with counterpart.joined(
        url, auth=auth, transports=[way], wait_timeout=LONG
    ) as client:
        yield Person(client)


async def frames(url: str, *said: str, **headers: str) -> WebSocketClientConnection:
    """Open a plain WebSocket to a Socket.IO server, and send some frames."""
    address = f"{url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
    client = await websocket_connect(HTTPRequest(address, headers=headers))
    for frame in said:
        await client.write_message(frame)
    return client


async def read_to_the_end(client: WebSocketClientConnection) -> list[str]:
    """Read until the server closes."""
    found = []
    async with asyncio.timeout(LONG):
        while (frame := await client.read_message()) is not None:
            found.append(str(frame))
    client.close()
    return found


async def ask(url: str, query: str = "", **options: Any) -> HTTPResponse:
    address = f"{url}/socket.io/?EIO=4&transport=polling{query}"
    return await AsyncHTTPClient().fetch(address, raise_error=False, **options)


async def open_by_poll(url: str) -> str:
    """Come in by long poll, with nothing but requests; return the query that says who it is."""
    answer = await ask(url)
    query = f"&sid={json.loads(answer.body[1:])['sid']}"
    assert (await ask(url, query, method="POST", body='40{"name":"Ada"}')).code == 200
    assert b'40{"sid":' in (await ask(url, query)).body
    return query


class TestTalk:
    async def test_by_both_ways_everybody_hears_everything(self) -> None:
        async with (
            running(socketio_room.make_app()) as url,
            joined(url, "polling", name="Ada") as ada,
            joined(url, "websocket", name="Grace") as grace,
        ):
            assert (ada.client.transport(), grace.client.transport()) == (
                "polling",
                "websocket",
            )
            await ada.say("Is anybody here?")
            await grace.say("I am.")
            for person in (ada, grace):
                await person.hears("Is anybody here?", "I am.")
                assert [message["name"] for message in person.heard] == ["Ada", "Grace"]

    @BOTH
    async def test_what_is_said_is_answered_with_its_number(self, way: str) -> None:
        async with running(socketio_room.make_app()) as url, joined(url, way, name="A") as ada:
            answers = [await ada.say(text) for text in ("one", "two")]
            await ada.hears("one", "two")
            assert answers == [{"number": message["number"]} for message in ada.heard]
            assert answers[0]["number"] < answers[1]["number"]

    @BOTH
    async def test_what_one_says_is_heard_in_that_order(self, way: str) -> None:
        texts = [str(number) for number in range(10)]
        async with running(socketio_room.make_app()) as url, joined(url, way, name="A") as ada:
            for text in texts:
                await ada.client.emit("say", text)
            await ada.hears(*texts)

    async def test_a_room_hears_nothing_of_another(self) -> None:
        async with (
            running(socketio_room.make_app()) as url,
            joined(url, name="Ada") as ada,
            joined(url, name="Grace", room="kitchen") as grace,
        ):
            await ada.say("in the hall")
            await grace.say("in the kitchen")
            await ada.say("again")
            await ada.hears("in the hall", "again")
            await grace.hears("in the kitchen")

    @BOTH
    async def test_who_comes_late_hears_what_is_kept_and_new_to_them(self, way: str) -> None:
        async with (
            running(socketio_room.make_app(history=3)) as url,
            joined(url, name="Ada") as ada,
        ):
            numbers = [(await ada.say(text))["number"] for text in ("1", "2", "3", "4")]
            async with joined(url, way, name="Alan") as alan:
                await alan.hears("2", "3", "4")
            async with joined(url, way, name="Alan", since=numbers[2]) as alan:
                await alan.hears("4")
                await ada.say("5")
                await alan.hears("4", "5")

    async def test_a_number_of_before_a_new_start_makes_nothing_old(self) -> None:
        async with running(socketio_room.make_app()) as url, joined(url, name="Ada") as ada:
            number = (await ada.say("before"))["number"]
        async with running(socketio_room.make_app()) as url, joined(url, name="Ada") as ada:
            await ada.say("after")
            async with joined(url, name="Alan", since=number) as alan:
                await alan.hears("after")

    async def test_what_is_kept_comes_in_one_event(self) -> None:
        async with running(socketio_room.make_app()) as url, joined(url, name="Ada") as ada:
            for text in ("one", "two"):
                await ada.say(text)
            client = await frames(url, '40{"name":"Alan"}')
            found = [str(await client.read_message()) for _ in range(3)]
            assert sum(frame.startswith("42") for frame in found) == 1, found
            assert all(text in "".join(found) for text in ("one", "two"))
            client.close()

    async def test_of_what_is_no_letter_a_blank_is_made(self) -> None:
        async with (
            running(socketio_room.make_app()) as url,
            joined(url, name=" A\x01da\x02") as ada,
        ):
            await ada.say("\x02hello,\x01you ")
            await ada.hears("hello, you")
            assert ada.heard[0]["name"] == "A da"

    @pytest.mark.parametrize(
        "said", [[], [""], ["  "], ["x" * 1001], [1], [None], [["one"]], ["one", "two"], [{}]]
    )
    async def test_what_is_no_text_is_answered_with_a_sentence(self, said: list[Any]) -> None:
        async with running(socketio_room.make_app()) as url, joined(url, name="Ada") as ada:
            answer = await ada.say(*said)
            assert answer == {"error": "A message is one text of 1 to 1000 letters."}
            await ada.say("x" * 1000)
            await ada.hears("x" * 1000)

    @pytest.mark.parametrize(
        ("auth", "reason"),
        [
            ({}, "name"),
            ({"name": ""}, "name"),
            ({"name": " \x01 "}, "name"),
            ({"name": "x" * 41}, "name"),
            ({"name": 5}, "name"),
            ({"name": "Ada", "room": "cellar"}, "hall, kitchen"),
            ({"name": "Ada", "room": ["hall"]}, "hall, kitchen"),
            ({"name": "Ada", "since": "one"}, "since"),
            (["Ada"], "name"),
            ("Ada", "name"),
        ],
    )
    async def test_who_cannot_come_in_is_told_why(self, auth: Any, reason: str) -> None:
        async with running(socketio_room.make_app()) as url:
            client = await frames(url, f"40{json.dumps(auth)}", '42["say","hello"]')
            _, refused = [str(await client.read_message()) for _ in range(2)]
            client.close()
            await read_to_the_end(client)
            assert refused.startswith('44{"message":"') and reason in refused


class TestLibrary:
    """What the notebook says of python-socketio, and what its documentation says, too."""

    @asynccontextmanager
    async def slow(self, **options: Any) -> AsyncIterator[str]:
        """Run a server on which "one" waits until "two" is there, at most a moment."""
        sio = socketio.AsyncServer(async_mode="tornado", **options)
        two = asyncio.Event()

        @sio.event  # type: ignore[untyped-decorator]
        async def say(sid: str, text: str) -> str:
            if text == "one":
                with suppress(TimeoutError):
                    await asyncio.wait_for(two.wait(), 0.2)
            two.set()
            await sio.emit("said", {"text": text})
            return text

        async with running(socketio_door.mount(sio)) as url:
            yield url

    async def test_an_event_overtakes_another_of_the_same_client(self) -> None:
        async with self.slow() as url, joined(url) as ada:
            for text in ("one", "two"):
                await ada.client.emit("say", text)
            await ada.hears("two", "one")

    async def test_unless_each_event_waits_for_the_one_before(self) -> None:
        async with self.slow(async_handlers=False) as url, joined(url) as ada:
            for text in ("one", "two"):
                await ada.client.emit("say", text)
            await ada.hears("one", "two")

    async def test_who_asks_no_longer_has_said_it_nevertheless(self) -> None:
        sio, asked = socketio.AsyncServer(async_mode="tornado"), asyncio.Event()

        @sio.event  # type: ignore[untyped-decorator]
        async def say(sid: str, text: str) -> None:
            await asked.wait()
            await sio.emit("said", {"text": text})

        async with running(socketio_door.mount(sio)) as url, joined(url) as ada:
            with pytest.raises(socketio.exceptions.TimeoutError):
                await ada.client.call("say", "once", timeout=0.01)
            asked.set()
            await ada.hears("once")

    async def test_by_itself_keeps_nothing_for_who_comes_late(self) -> None:
        async with self.slow() as url, joined(url) as ada:
            await ada.say("two")
            async with joined(url) as alan:
                await alan.say("three")
                await alan.hears("three")

    async def test_its_client_leaves_ctrl_c_to_the_program(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        async with self.slow() as url, joined(url):
            assert signal.getsignal(signal.SIGINT) is before
        assert signal.getsignal(signal.SIGINT) is before

    async def test_two_requests_make_a_connection(self) -> None:
        requests = []
        app = socketio_room.make_app()
        app.settings["log_function"] = lambda handler: requests.append(handler.get_status())
        async with (
            running(app) as url,
            counterpart.joined(url, auth={"name": "Ada"}) as ada,
        ):
            await ada.call("say", "hello")
            assert requests == [200, 101]
            assert ada.transport() == "websocket"


# What no client of Socket.IO says.
NONE = [
    "", "hello", "0", "2", "4", "4hello", "42", "42[]", "42{}", '42["say"', "42[1]", "43[]",
    "431", "44{}", '451-["say",{"_placeholder":true,"num":0}]', "bAAAA", "6", "47", "4²",
    "42²[]", '42["connect",{},{"name":"root"}]', '42["disconnect","because"]',
    "42" + "[" * 10_000, f"42{'9' * 200}[]",
]  # fmt: skip


class TestDoor:
    async def test_a_page_of_another_site_is_refused(self) -> None:
        async with running(socketio_room.make_app()) as url:
            with pytest.raises(HTTPClientError, match="403"):
                await frames(url, Origin="http://elsewhere.example")
            answer = await ask(url, headers={"Origin": "http://elsewhere.example"})
            assert answer.code == 400 and b"not an accepted origin" in answer.body
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert (await ask(url, headers={"Origin": url})).code == 200
            client = await frames(url, "1", Origin=url)
            assert len(await read_to_the_end(client)) == 1

    async def test_the_library_alone_leaves_it_an_open_socket(self) -> None:
        """If this fails one day, the door may be smaller."""
        sio = socketio.AsyncServer(async_mode="tornado", engineio_logger=socketio_room.LOG)
        handlers = [("/socket.io/", socketio.get_tornado_handler(sio))]
        async with running(Application(handlers)) as url:
            client = await frames(url, "40", Origin="http://elsewhere.example")
            await asyncio.wait(
                [reading := asyncio.ensure_future(client.read_message())], timeout=0.1
            )
            assert not reading.done()
            client.close()
            await reading

    async def test_what_is_no_packet_ends_a_websocket(self) -> None:
        async with running(socketio_room.make_app()) as url, joined(url, name="Ada") as ada:
            for frame in NONE:
                client = await frames(url, '40{"name":"Mallory"}', frame, '42["say","never"]')
                await read_to_the_end(client)
                assert client.close_code == 1003, frame
            await ada.say("hello")
            await ada.hears("hello")

    async def test_what_is_no_packet_is_refused_on_the_long_poll(self) -> None:
        async with running(socketio_room.make_app()) as url:
            query = await open_by_poll(url)
            for body in (
                *NONE,
                b"\xff",
                b'42["say","\xff"]',
                "d=1",
                "2probe",
                "5",
                "\x1e".join(17 * ["3"]),
            ):
                answer = await ask(url, query, method="POST", body=body)
                assert answer.code == 400, body
                assert "packets" in json.loads(answer.body)["error"]
            said = await ask(url, query, method="POST", body='42["say","hello"]')
            assert said.code == 200
            assert b'"text":"hello"' in (await ask(url, query)).body

    async def test_bytes_are_no_packet(self) -> None:
        async with running(socketio_room.make_app()) as url:
            client = await frames(url)
            await client.write_message(b"40", binary=True)
            assert len(await read_to_the_end(client)) == 1
            assert client.close_code == 1003

    async def test_what_is_too_large_is_not_read(self) -> None:
        async with running(socketio_room.make_app()) as url:
            client = await frames(url, '40{"name":"Mallory"}', f'42["say","{"x" * 20_000}"]')
            await read_to_the_end(client)
            assert client.close_code == 1009
            query = await open_by_poll(url)
            assert (await ask(url, query, method="POST", body="4" * 20_001)).code in (400, 599)

    async def test_who_does_not_read_is_sent_away_and_not_waited_for(self) -> None:
        app = socketio_room.make_app()
        sessions = sio_of(app).eio.sockets
        async with running(app) as url, joined(url, name="Ada") as ada:
            sleeper = await frames(url, '40{"name":"sleeper"}')
            await until(lambda: len(sessions) == 2)
            for _ in range(1000):
                if len(sessions) == 1:
                    break
                await sio_of(app).emit("said", {"text": "x" * 65_536})
                await ada.client.hear(len(ada.heard) + 1)
            assert len(sessions) == 1
            await read_to_the_end(sleeper)

    async def test_who_says_goodbye_by_long_poll_is_answered_at_once(self) -> None:
        app = socketio_room.make_app(ping_interval=600, ping_timeout=600)
        async with running(app) as url:
            query = await open_by_poll(url)
            poll = asyncio.ensure_future(ask(url, query, request_timeout=LONG))
            await until(lambda: len(handlers_at_work(app, asyncio.get_running_loop())) == 1)
            assert (await ask(url, query, method="POST", body="1")).code == 200
            assert (await poll).code == 200

    async def test_what_comes_by_post_after_a_goodbye_is_refused(self) -> None:
        async with running(socketio_room.make_app()) as url:
            query = await open_by_poll(url)
            for code in (200, 400, 400):
                assert (await ask(url, query, method="POST", body="1")).code == code

    async def test_who_is_asked_for_by_two_names_is_the_first(self) -> None:
        async with running(socketio_room.make_app()) as url:
            ada, grace = await open_by_poll(url), await open_by_poll(url)
            assert (await ask(url, ada, method="POST", body="1")).code == 200
            for query in (ada + grace, f"&sid={ada}", "&sid=%ff", ""):
                assert (await ask(url, query, method="POST", body="3")).code == 400
            assert (await ask(url, grace + ada, method="POST", body="3")).code == 200

    @pytest.mark.parametrize("said", [[], ["2probe"], ["3"]])
    async def test_who_tries_a_websocket_in_vain_goes_on_by_long_poll(
        self, said: list[str]
    ) -> None:
        app = socketio_room.make_app()
        async with running(app) as url:
            query = await open_by_poll(url)
            address = f"/socket.io/?EIO=4&transport=websocket{query}"
            client = await websocket_connect(url.replace("http", "ws") + address)
            [session] = sio_of(app).eio.sockets.values()
            await until(lambda: session.upgrading)
            for frame in said:
                await client.write_message(frame)
            client.close()
            await until(lambda: not session.upgrading)
            await ask(url, query, method="POST", body='42["say","hello"]')
            heard = b""
            while b'"text":"hello"' not in heard:
                heard = (await ask(url, query)).body
                assert heard in (b"6",) or b"said" in heard

    @pytest.mark.parametrize("query", ["transport=polling", "transport=websocket&sid=nobody"])
    async def test_a_websocket_that_is_not_served_is_closed(self, query: str) -> None:
        async with running(socketio_room.make_app()) as url:
            address = f"{url.replace('http', 'ws')}/socket.io/?EIO=4&{query}"
            assert await read_to_the_end(await websocket_connect(address)) == []

    async def test_a_client_is_told_how_much_it_may_send(self) -> None:
        async with running(socketio_room.make_app()) as url:
            assert json.loads((await ask(url)).body[1:])["maxPayload"] == 20_000

    async def test_a_page_of_another_site_cannot_be_let_in(self) -> None:
        with pytest.raises(ValueError, match="cors_allowed_origins"):
            socketio_room.make_app(cors_allowed_origins="https://shop.example")

    async def test_one_large_message_is_no_reason_to_send_somebody_away(self) -> None:
        app = socketio_room.make_app()
        async with running(app) as url, joined(url, name="Ada") as ada:
            await sio_of(app).emit("said", {"text": "x" * 1_000_000})
            [message] = await ada.client.hear(1)
            assert len(message["text"]) == 1_000_000

    async def test_a_server_that_runs_again_begins_anew(self) -> None:
        sio = socketio.AsyncServer(async_mode="tornado")
        start = sio.eio.start_background_task
        for _ in range(2):
            async with running(socketio_door.mount(sio)) as url:
                await open_by_poll(url)
                assert len(sio.eio.sockets) == 1
                assert not sio.eio.service_task_handle.done()
                assert await sio.start_background_task(asyncio.sleep, 0, result="x") == "x"
            assert sio.eio.start_background_task == start
            assert not sio.eio.sockets
            assert not [*sio.manager.get_participants("/", None)]

    async def test_who_waits_for_what_will_not_come_is_told(self) -> None:
        async with running(socketio_room.make_app()) as url:
            ada = counterpart.Person(reconnection=False)
            await ada.connect(url, auth={"name": "A"}, wait_timeout=LONG)
            hearing = asyncio.ensure_future(ada.hear(1))
        with pytest.raises(ConnectionError, match="went after"):
            await asyncio.wait_for(hearing, LONG)
        await ada.disconnect()

    @BOTH
    async def test_nothing_is_left_of_a_server_that_ends(self, way: str) -> None:
        before = asyncio.all_tasks()
        async with running(socketio_room.make_app()) as url:
            ada = counterpart.Person(reconnection=False)
            await ada.connect(url, auth={"name": "A"}, transports=[way], wait_timeout=LONG)
            await ada.call("say", "hello")
        await ada.wait()
        await ada.disconnect()
        await until(lambda: asyncio.all_tasks() <= before)


def sio_of(app: Application) -> Any:
    """Return the Socket.IO server of an application."""
    return app.settings["sio"]


# -- clients that misbehave --------------------------------------------------------------------

ON_A_WEBSOCKET = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: here\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PACKETS = st.one_of(
    st.sampled_from(
        [
            "40",
            '40{"name":"Ada"}',
            "41",
            '42["say","hello"]',
            '421["say"]',
            "431[]",
            "1",
            "2probe",
            "3",
            "5",
        ]
    ),
    st.sampled_from(NONE),
    st.text(max_size=10),
    st.builds("4{}{}".format, st.integers(0, 9), st.text(max_size=5)),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    ).map(lambda data: f"42{json.dumps(['say', data])}"),
    st.just(f'42["say","{"x" * 1001}"]'),
)


def masked(packet: str, opcode: int) -> bytes:
    """Return a frame as a client sends it, with a mask of zeros."""
    text = packet.encode("utf-8", "replace")
    size = (
        bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    )
    return bytes([0x80 | opcode]) + size + bytes(4) + text


FRAMES = st.builds(masked, PACKETS, st.sampled_from([1, 1, 1, 1, 2, 0, 8, 9, 15]))
BY_WEBSOCKET = st.lists(FRAMES, max_size=6).map(lambda some: ON_A_WEBSOCKET + b"".join(some))
QUERIES = [
    "",
    "?EIO=4",
    "?EIO=4&transport=polling",
    "?EIO=3",
    "?EIO=4&transport=websocket",
    "?EIO=4&j=1",
]
BY_HTTP = http_requests(
    ["/", *(f"/socket.io/{query}" for query in QUERIES)], ["sid", "EIO", "transport", "j"]
)


class TestMisbehaving:
    def test_whatever_a_client_does_the_next_one_is_served(self) -> None:
        # Not with a task that looks for who is gone, and stays as long as the server.
        app = socketio_room.make_app(
            ping_interval=0.01, ping_timeout=0.01, monitor_clients=False
        )
        with serving(lambda: running(app)) as server:

            @given(visits(BY_HTTP | BY_WEBSOCKET))
            def test(visit: Visit) -> None:
                server.survives(visit)

            test()

    def test_whatever_is_said_by_long_poll_the_next_one_is_served(self) -> None:
        # Long enough that nobody is out for a ping while they speak.
        app = socketio_room.make_app(ping_interval=1, ping_timeout=1, monitor_clients=False)
        with serving(lambda: running(app)) as server:

            @given(st.lists(st.lists(PACKETS, max_size=5), max_size=3), st.booleans())
            def test(bodies: list[list[str]], is_in: bool) -> None:
                place = open_raw(server.url)
                pieces = []
                for some in [['40{"name":"Ada"}'], *bodies] if is_in else bodies:
                    body = "\x1e".join(some).encode("utf-8", "replace")
                    head = f"POST {place} HTTP/1.1\r\nHost: here\r\n"
                    pieces.append(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                found = server.survives(Visit(pieces, "half"))
                assert {*found} <= {200, 400}

            test()


def open_raw(url: str) -> str:
    """Come in by long poll, and return the path of who that is."""
    path = "/socket.io/?EIO=4&transport=polling"
    connection = HTTPConnection(urlsplit(url).netloc, timeout=LONG)
    connection.request("GET", path)
    greeting = json.loads(connection.getresponse().read()[1:])
    connection.close()
    return f"{path}&sid={greeting['sid']}"


# -- the program -------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_the_program_says_where_it_is_and_ends_when_it_is_told_to() -> None:
    command = [sys.executable, "-m", "stormy_demo.neighbours.socketio_room", "--port=0"]
    with quick_start.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout and program.stderr
        url = program.stdout.readline().split()[2]

        async def visit() -> None:
            page = await AsyncHTTPClient().fetch(url)
            assert b"--client-script" in page.body
            async with joined(url, "websocket", name="Ada") as ada:
                await ada.say("hello")
                await ada.hears("hello")
                await open_by_poll(url)
                program.send_signal(signal.SIGTERM)
                await asyncio.to_thread(program.wait, LONG)

        try:
            asyncio.run(visit())
        finally:
            program.kill()
        assert program.returncode == 0
        assert program.stdout.read() == "stopped\n"
        assert "Traceback" not in program.stderr.read()


async def test_the_page_is_given_the_script_that_there_is(tmp_path: Path) -> None:
    script = tmp_path / "client.js"
    script.write_text("// the client", encoding="utf-8")
    http = AsyncHTTPClient()
    async with running(socketio_room.make_app(str(script))) as url:
        assert b'<script src="client.js">' in (await http.fetch(url)).body
        assert (await http.fetch(f"{url}/client.js")).body == b"// the client"
    async with running(socketio_room.make_app()) as url:
        assert b'<script src="client.js">' not in (await http.fetch(url)).body
        assert (await http.fetch(f"{url}/client.js", raise_error=False)).code == 404


@pytest.mark.parametrize(
    "wrong", [{"history": 0}, {"history": 10**20}, {"client_script": "/nowhere/client.js"}]
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        socketio_room.make_app(**wrong)
