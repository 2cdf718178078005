"""Names are looked up on the loop, and what goes wrong is an `OSError` that says why."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient
from tornado.netutil import DefaultLoopResolver, Resolver
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler

from loopfilm import LOCALHOST, film, lane, running
from stormy_demo.program import main
from tests.bad_clients import Visit, http_requests, serving, visits

pytest.importorskip("dns", reason="dnspython is not installed")
pytest.importorskip("dnslib", reason="dnslib is not installed")

import dns.message
import dns.resolver

from stormy_demo.neighbours import cares, names
from stormy_demo.neighbours.cares import HAS_CARES, LocalCaresResolver
from stormy_demo.neighbours.counterparts import slow_dns
from stormy_demo.neighbours.resolver import DnsResolver
from stormy_demo.neighbours.system_names import as_system, asking

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_thread_left"),
]

# Seconds that no machine is too busy for.
LONG = 500.0
ADA = {"ada.example": [LOCALHOST]}


@pytest.fixture
def no_thread_left() -> Any:
    """Fail a test after which more threads are there than before."""
    before = set(threading.enumerate())
    yield
    # pycares has one that closes channels, and keeps it.
    new = set(threading.enumerate()) - before
    assert not [thread for thread in new if "_run_safe_shutdown_loop" not in thread.name]


async def is_slow(task: asyncio.Task[Any]) -> bool:
    """Return whether something takes longer than anything here would without a reason."""
    done, _ = await asyncio.wait([task], timeout=0.2)
    return not done


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something is true; a test that waits in vain runs out of time."""
    while not condition():
        await asyncio.sleep(0)


def resolver_of(server: slow_dns.Server) -> DnsResolver:
    servers, port = server.place
    resolver: DnsResolver = DnsResolver(servers=servers, port=port, patience=LONG)
    return resolver


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


class TestANameIsLookedUp:
    """By `DnsResolver`, which asks the servers that it is given, and no others."""

    async def test_with_the_port_that_was_wanted(self) -> None:
        with slow_dns.serving(ADA) as server:
            resolver = resolver_of(server)
            for port in (80, 443):
                found = await resolver.resolve("ada.example", port)
                assert found == [(socket.AF_INET, (LOCALHOST, port))]

    @pytest.mark.parametrize(
        ("family", "addresses", "questions"),
        [
            (socket.AF_UNSPEC, ["::1", LOCALHOST], ["AAAA", "A"]),
            (socket.AF_INET, [LOCALHOST], ["A"]),
            (socket.AF_INET6, ["::1"], ["AAAA"]),
        ],
    )
    async def test_of_the_family_that_was_wanted(
        self, family: socket.AddressFamily, addresses: list[str], questions: list[str]
    ) -> None:
        with slow_dns.serving({"both.example": [LOCALHOST, "::1"]}) as server:
            found = await resolver_of(server).resolve("both.example", 80, family)
        assert [place[0] for _, place in found] == addresses
        assert sorted(server.asked) == sorted(f"both.example {each}" for each in questions)

    async def test_by_questions_that_are_asked_at_once(self) -> None:
        with slow_dns.serving(ADA) as server:
            with server.held():
                task = asyncio.create_task(resolver_of(server).resolve("ada.example", 80))
                await until(lambda: len(server.asked) == 2)
            assert await task

    @pytest.mark.parametrize("wrong", ["SERVFAIL", "REFUSED", "NXDOMAIN"])
    @pytest.mark.parametrize(("kind", "address"), [("AAAA", LOCALHOST), ("A", "::1")])
    async def test_where_one_family_is_enough(
        self, kind: str, address: str, wrong: str
    ) -> None:
        with slow_dns.serving({"half.example": [LOCALHOST, "::1"]}) as server:
            server.failing[f"half.example {kind}"] = wrong
            [(_, place)] = await resolver_of(server).resolve("half.example", 80)
        assert place[0] == address

    async def test_though_a_question_is_lost(self) -> None:
        class Lossy(slow_dns.Server):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                if len(lost) < 2:
                    lost.append(data)
                else:
                    super().datagram_received(data, addr)

        lost: list[bytes] = []
        with slow_dns.serving(ADA) as server:
            server.__class__ = Lossy
            resolver = resolver_of(server)
            resolver.dns.timeout = 0.1
            assert await resolver.resolve("ada.example", 80)
        assert len(lost) == 2

    @pytest.mark.parametrize("make", [DnsResolver, asking, as_system])
    def test_and_the_files_of_this_machine_are_not_read(
        self, make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def read(*_: object) -> None:
            raise AssertionError("/etc/resolv.conf is read")

        monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", read)
        with nullcontext(make([LOCALHOST])):
            pass

    async def test_in_whatever_letters_it_is_written(self) -> None:
        with slow_dns.serving(ADA) as server:
            assert await resolver_of(server).resolve("ADA.Example.", 80)

    @pytest.mark.parametrize("address", [LOCALHOST, "::1"])
    async def test_and_of_an_address_nobody_is_asked(self, address: str) -> None:
        with slow_dns.serving({}) as server:
            [(_, place)] = await resolver_of(server).resolve(address, 80)
        assert place[:2] == (address, 80)
        assert not server.asked

    async def test_while_another_answer_is_on_its_way(self) -> None:
        with slow_dns.serving(ADA) as server:
            resolver = resolver_of(server)
            with server.held():
                slow = asyncio.create_task(resolver.resolve("ada.example", 80))
                await until(lambda: server.asked)
                assert await resolver.resolve(LOCALHOST, 80)
                assert await is_slow(slow)
            assert await slow

    async def test_and_the_loop_is_free_meanwhile(self) -> None:
        with film() as f, slow_dns.serving(ADA, delays={"ada.example": 0.3}) as server:
            await resolver_of(server).resolve("ada.example", 80)
        assert not f.held


class TestAnAnswer:
    """It is kept as long as its owner says."""

    async def test_is_kept(self) -> None:
        with slow_dns.serving(ADA, ttl=3600) as server:
            resolver = resolver_of(server)
            server.addresses["grace.example"] = [LOCALHOST]
            for name in ("ada.example", "grace.example") * 3:
                await resolver.resolve(name, 80)
        assert len(server.asked) == len(set(server.asked)) == 4

    async def test_is_not_kept_where_the_owner_says_so(self) -> None:
        with slow_dns.serving(ADA, ttl=0) as server:
            resolver = resolver_of(server)
            await resolver.resolve("ada.example", 80)
            server.addresses["ada.example"] = ["192.0.2.2"]
            [(_, place)] = await resolver.resolve("ada.example", 80)
        assert place[0] == "192.0.2.2"

    async def test_is_asked_for_by_all_who_come_before_the_first_is_there(self) -> None:
        with slow_dns.serving(ADA, ttl=3600) as server:
            resolver = resolver_of(server)
            with server.held():
                ten = [resolver.resolve("ada.example", 80, socket.AF_INET) for _ in range(10)]
                tasks = [asyncio.ensure_future(each) for each in ten]
                await until(lambda: len(server.asked) == 10)
            await asyncio.wait(tasks)
            await resolver.resolve("ada.example", 80, socket.AF_INET)
        assert len(server.asked) == 10

    @pytest.mark.parametrize("name", ["none.example", "new.example"])
    @pytest.mark.parametrize("ttl", [0, 3600])
    async def test_that_there_is_nothing_is_kept_as_long(self, name: str, ttl: int) -> None:
        with slow_dns.serving({"none.example": []}, ttl=ttl) as server:
            resolver = resolver_of(server)
            with pytest.raises(OSError):
                await resolver.resolve(name, 80)
            server.addresses[name] = [LOCALHOST]
            if ttl:
                with pytest.raises(OSError):
                    await resolver.resolve(name, 80)
            else:
                assert await resolver.resolve(name, 80)

    @pytest.mark.parametrize("code", ["NXDOMAIN", "NOERROR", "SERVFAIL"])
    async def test_that_does_not_say_how_long_it_is_good_is_not_kept(self, code: str) -> None:
        with slow_dns.serving(ADA) as server:
            server.failing["ada.example"] = code
            resolver = resolver_of(server)
            with pytest.raises(OSError):
                await resolver.resolve("ada.example", 80)
            server.failing.clear()
            assert await resolver.resolve("ada.example", 80)


class TestWhatGoesWrong:
    """It is what the system would raise, with a sentence that says why."""

    @pytest.mark.parametrize(
        ("name", "code", "said"),
        [
            ("nobody.example", socket.EAI_NONAME, "There is no such name: nobody.example"),
            ("none.example", socket.EAI_NONAME, "none.example has no such address"),
            ("ada..example", socket.EAI_NONAME, "This is no name: 'ada..example'"),
            ("\u0378.example", socket.EAI_NONAME, "This is no name: '"),
            ("*", socket.EAI_NONAME, "There is no such name: *"),
            ("a" * 64, socket.EAI_NONAME, f"This is no name: '{'a' * 64}'"),
            (".".join(["a" * 60] * 6), socket.EAI_NONAME, "This is no name: 'aaa"),
            ("broken.example", socket.EAI_AGAIN, "No server could tell about broken.example"),
            ("refused.example", socket.EAI_AGAIN, "No server could tell about refused.example"),
            ("unsure.example", socket.EAI_AGAIN, "No server could tell about unsure.example"),
            ("unsure.other", socket.EAI_AGAIN, "No server could tell about unsure.other"),
        ],
    )
    async def test_says_so(self, name: str, code: int, said: str) -> None:
        nothing: dict[str, list[str]]
        nothing = {"none.example": [], "unsure.example": [], "unsure.other": []}
        with slow_dns.serving(nothing) as server:
            server.failing = {
                "broken.example": "SERVFAIL",
                "refused.example": "REFUSED",
                "unsure.example A": "SERVFAIL",
                "unsure.other AAAA": "SERVFAIL",
            }
            with pytest.raises(socket.gaierror) as raised:
                await resolver_of(server).resolve(name, 80)
        assert raised.value.errno == code
        assert str(raised.value.strerror).startswith(said)

    async def test_a_server_that_is_silent_is_given_up(self) -> None:
        with slow_dns.serving({}) as server:
            server.silent.add("silent.example")
            resolver = DnsResolver(*server.place, patience=0.2)
            said = r"No answer within 0\.2 s about silent"
            with pytest.raises(socket.gaierror, match=said) as raised:
                await resolver.resolve("silent.example", 80)
        assert raised.value.errno == socket.EAI_AGAIN

    async def test_a_server_that_is_not_there_is_given_up(self) -> None:
        with slow_dns.serving({}) as server:
            pass
        with pytest.raises(socket.gaierror):
            await DnsResolver(*server.place, patience=0.2).resolve("ada.example", 80)

    def test_half_of_its_patience_is_for_the_first_try(self) -> None:
        ours: DnsResolver = DnsResolver([LOCALHOST], patience=20)
        for asks in (ours.dns, asking([LOCALHOST], patience=20)):
            assert (asks.timeout, asks.lifetime) == (10, 20)

    async def test_an_answer_that_is_none_is_not_believed(self) -> None:
        with slow_dns.serving(ADA) as server:
            server.garbled.add("ada.example")
            resolver = DnsResolver(*server.place, patience=0.2)
            with pytest.raises(socket.gaierror, match="No answer within"):
                await resolver.resolve("ada.example", 80)

    async def test_who_is_cancelled_leaves_and_nobody_is_told(self) -> None:
        with slow_dns.serving(ADA) as server:
            resolver = resolver_of(server)
            with server.held():
                task = asyncio.create_task(resolver.resolve("ada.example", 80))
                await until(lambda: server.asked)
                task.cancel()
                await asyncio.wait([task])
            assert task.cancelled()
            assert await resolver.resolve("ada.example", 80)


class TestAClient:
    """It connects to what its resolver says."""

    async def test_of_http(self) -> None:
        with slow_dns.serving(ADA) as server:
            client = AsyncHTTPClient(force_instance=True, resolver=resolver_of(server))
            async with running(Application([("/", Hello)])) as url:
                response = await client.fetch(url.replace(LOCALHOST, "ada.example"))
                with pytest.raises(socket.gaierror, match="There is no such name"):
                    await client.fetch("http://nobody.example/")
            client.close()
        assert response.body == b"hello"

    async def test_of_tcp_goes_on_to_the_next_address(self) -> None:
        listener = socket.create_server((LOCALHOST, 0))
        port = listener.getsockname()[1]
        # Nobody is there on the other side, or this machine has no such side.
        with listener, slow_dns.serving({"both.example": ["::1", LOCALHOST]}) as server:
            client = TCPClient(resolver=resolver_of(server))
            stream = await client.connect("both.example", port)
            assert stream.socket.getpeername()[0] == LOCALHOST
            stream.close()

    async def test_whose_resolver_is_that_of_all(self) -> None:
        before = Resolver.configured_class()
        with slow_dns.serving(ADA) as server:
            servers, port = server.place
            Resolver.configure(DnsResolver, servers=servers, port=port)
            try:
                assert await Resolver().resolve("ada.example", 80)
            finally:
                Resolver.configure(before)


class TestTheDefaultResolver:
    """It takes a thread for each look-up, as long as there are threads."""

    async def test_has_the_system_asked(self) -> None:
        with slow_dns.serving(ADA) as server, as_system(*server.place, patience=LONG):
            found = await DefaultLoopResolver().resolve("ada.example", 80)
        assert found == [(socket.AF_INET, (LOCALHOST, 80))]

    async def test_even_an_address_waits_behind_others(self) -> None:
        default = DefaultLoopResolver()
        with slow_dns.serving(ADA) as server, as_system(*server.place, patience=LONG):
            with server.held():
                forty = [default.resolve("ada.example", 80) for _ in range(40)]
                tasks = [asyncio.ensure_future(each) for each in forty]
                address = asyncio.create_task(default.resolve(LOCALHOST, 80))
                await until(lambda: server.asked)
                assert await is_slow(address)
                assert len(server.asked) <= 32
            await asyncio.wait([*tasks, address])
            assert address.result()

    async def test_a_look_up_that_blocks_holds_the_loop(self) -> None:
        async def look_up() -> None:
            asks.resolve("ada.example")

        with film() as f, slow_dns.serving(ADA, delays={"ada.example": 0.5}) as server:
            asks = asking(*server.place, patience=LONG)
            with lane("ada"):
                task = asyncio.create_task(look_up())
            await task
        assert f.held == ["ada"]

    def test_the_system_is_itself_again(self) -> None:
        before = socket.getaddrinfo
        with slow_dns.serving(ADA) as server, as_system(*server.place):
            assert socket.getaddrinfo is not before
        assert socket.getaddrinfo is before

    def test_the_inner_block_gives_back_what_the_outer_one_had(self) -> None:
        with (
            slow_dns.serving({"ada.example": ["192.0.2.1"]}) as outer,
            slow_dns.serving({"ada.example": ["192.0.2.2"]}) as inner,
            as_system(*outer.place, patience=LONG),
        ):
            with as_system(*inner.place, patience=LONG):
                assert socket.gethostbyname("ada.example") == "192.0.2.2"
            assert socket.gethostbyname("ada.example") == "192.0.2.1"


@pytest.mark.skipif(not HAS_CARES, reason="pycares is not installed, or too new for Tornado")
class TestCares:
    """Tornado's resolver over c-ares, which goes with Tornado 7."""

    @contextmanager
    def resolver(self, server: slow_dns.Server) -> Iterator[LocalCaresResolver]:
        resolver = LocalCaresResolver(*server.place)
        try:
            yield resolver
        finally:
            resolver.close()

    async def test_finds_what_the_others_find(self) -> None:
        with slow_dns.serving(ADA) as server, self.resolver(server) as resolver:
            found = await resolver.resolve("ada.example", 80)
        assert found == [(socket.AF_INET, (LOCALHOST, 80))]

    async def test_says_what_went_wrong(self) -> None:
        with (
            slow_dns.serving(ADA) as server,
            self.resolver(server) as resolver,
            pytest.raises(OSError, match="Domain name not found"),
        ):
            await resolver.resolve("nobody.example", 80)

    async def test_who_waits_at_the_end_is_told_on_the_loop(self) -> None:
        with slow_dns.serving(ADA) as server, server.held():
            with self.resolver(server) as resolver:
                task = asyncio.ensure_future(resolver.resolve("ada.example", 80))
                await until(lambda: server.asked)
            # What the other thread of pycares does, it does later.
            assert not resolver.fds
            with pytest.raises(OSError, match="cancelled"):
                await task

    async def test_does_not_know_what_the_files_of_this_machine_say(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As if it were in /etc/resolv.conf.
        monkeypatch.setenv("LOCALDOMAIN", "far.example")
        with slow_dns.serving(ADA) as server, self.resolver(server) as resolver:
            for name in ("nobody", "localhost"):
                with pytest.raises(OSError):
                    await resolver.resolve(name, 80)
        assert {question.split()[0] for question in server.asked} <= {"nobody", "localhost"}

    def test_says_what_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cares, "HAS_CARES", False)
        with pytest.raises(ImportError, match="pycares<5"):
            LocalCaresResolver([LOCALHOST])


class TestTheProgram:
    """A server that looks names up for its visitors."""

    @pytest.mark.parametrize(
        ("path", "status", "said"),
        [
            (
                "/look-up?name=ada.example",
                200,
                {"name": "ada.example", "addresses": [LOCALHOST]},
            ),
            ("/look-up?name=::1", 200, {"name": "::1", "addresses": ["::1"]}),
            (
                "/look-up?name=no.example",
                404,
                {"error": "There is no such name: no.example"},
            ),
            ("/look-up", 400, {"error": "name is missing"}),
            ("/look-up?name=a&name=b", 400, {"error": "name must be given once"}),
        ],
    )
    async def test_answers(self, path: str, status: int, said: object) -> None:
        async with running(names.make_app(delay=0)) as url:
            response = await AsyncHTTPClient().fetch(
                url + path, raise_error=False, request_timeout=LONG, connect_timeout=LONG
            )
        assert (response.code, json.loads(response.body)) == (status, said)

    async def test_says_when_nobody_can_tell(self) -> None:
        with slow_dns.serving({}) as server:
            server.failing["bad.example"] = "SERVFAIL"
            async with running(names.names_app(resolver_of(server))) as url:
                response = await AsyncHTTPClient().fetch(
                    f"{url}/look-up?name=bad.example", raise_error=False
                )
        assert response.code == 504

    def test_has_patience_for_its_longest_delay(self) -> None:
        app = names.make_app(delay=names.LONGEST_DELAY)
        with app.settings["while_running"]():
            assert app.settings["resolver"].dns.timeout > names.LONGEST_DELAY

    def test_survives_bad_clients(self) -> None:
        with serving(lambda: running(names.make_app(delay=0))) as server:

            @settings(max_examples=20)
            @given(visits(http_requests(["/look-up"], ["name"])))
            def test(visit: Visit) -> None:
                server.survives(visit, "/look-up?name=ada.example")

            test()

    @pytest.mark.parametrize("delay", ["-1", "61", "nan"])
    def test_refuses_a_delay_that_nobody_wants(
        self, delay: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(names.make_app, ["names", f"--delay={delay}"]) == 2
        assert "delay must be from 0 to 60 seconds" in capsys.readouterr().err


class TestTheDnsServer:
    """It answers what is a question, and nothing else."""

    async def test_when_all_who_held_it_let_it_go(self) -> None:
        with slow_dns.serving(ADA) as server:
            resolver = resolver_of(server)
            with server.held():
                with server.held():
                    pass
                with server.held():
                    task = asyncio.create_task(resolver.resolve("ada.example", 80))
                assert await is_slow(task)
            assert await task

    def test_and_not_what_is_an_answer(self) -> None:
        question = dns.message.make_query("answer.example", "A")
        with slow_dns.serving(ADA) as server:
            [host], port = server.place
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(dns.message.make_response(question).to_wire(), (host, port))
            assert asking([host], port, patience=LONG).resolve("ada.example")
        assert server.asked == ["ada.example A"]

    def test_whatever_it_is_sent(self) -> None:
        with slow_dns.serving(ADA) as server:
            [host], port = server.place

            @given(st.binary(max_size=60))
            def send(data: bytes) -> None:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.sendto(data, (host, port))
                assert (
                    asking([host], port, patience=LONG).resolve("ada.example")[0].address
                    == LOCALHOST
                )

            send()
