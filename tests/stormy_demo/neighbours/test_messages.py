"""One handler and one set of tests, for each of the databases that are here."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from tornado.httpclient import AsyncHTTPClient

from loopfilm import running
from stormy_demo.neighbours import messages
from stormy_demo.neighbours.counterparts.databases import POSTGRES, schema
from stormy_demo.neighbours.counterparts.secantus import HAS_MONGO, secantus
from stormy_demo.neighbours.stores import Gone, Store, store_for
from stormy_demo.program import main
from tests import quick_start
from tests.bad_clients import Visit, http_requests, serving, visits
from tests.paths import ROOT

from .cut_lines import Connected, Line, line_to

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_thread_left"),
]

# Seconds that no machine is too busy for.
LONG = 500.0

GONE = (503, {"error": "The database does not answer: try again later."})


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """Fail a test that leaves a thread: the process would not end before that."""
    before = threading.enumerate()
    yield
    left = [each for each in threading.enumerate() if each not in before and not each.daemon]
    for thread in left:
        # It may be at its end.
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def mongo() -> Iterator[str]:
    if not HAS_MONGO:
        pytest.skip("SecantusDB has no wheel for this Python")
    with secantus() as url:
        yield url


@pytest.fixture
def mongo_url(mongo: str) -> str:
    return f"{mongo}/stormy_{secrets.token_hex(8)}"


@pytest.fixture
def postgres_url() -> Iterator[str]:
    url = os.environ.get(POSTGRES)
    if not url:
        pytest.skip(f"{POSTGRES} in the environment has the address of no PostgreSQL")
    with schema(url) as own:
        yield own


@pytest.fixture(params=["sqlite", "mongo", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'messages.db'}"
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


class Server:
    """The server, as its visitors know it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = AsyncHTTPClient(
            force_instance=True, defaults={"request_timeout": LONG}, max_clients=100
        )

    async def ask(self, method: str, body: bytes | None = None) -> tuple[int, Any]:
        response = await self.client.fetch(
            f"{self.url}/messages", method=method, body=body, raise_error=False
        )
        return response.code, json.loads(response.body)

    async def post(self, msg: object) -> tuple[int, Any]:
        return await self.ask("POST", json.dumps({"msg": msg}).encode())

    async def get(self) -> tuple[int, Any]:
        return await self.ask("GET")

    async def messages(self) -> list[str]:
        status, answer = await self.get()
        assert status == 200
        found: list[str] = answer["messages"]
        return found

    async def post_until_it_is_stored(self, msg: str) -> None:
        """As somebody would who is told to come again."""
        while (await self.post(msg))[0] != 201:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def server_with(url: str, patience: float = LONG) -> AsyncIterator[Server]:
    async with store_for(url, patience) as store, running(messages.message_app(store)) as here:
        server = Server(here)
        try:
            yield server
        finally:
            server.client.close()


class TestAtEachDatabase:
    async def test_what_is_posted_is_told_the_newest_first(self, url: str) -> None:
        async with server_with(url) as server:
            assert await server.get() == (200, {"messages": [], "visits": 1})
            for msg in ["one", "two", "three"]:
                assert await server.post(msg) == (201, {"msg": msg})
            answer = {"messages": ["three", "two", "one"], "visits": 2}
            assert await server.get() == (200, answer)

    async def test_the_latest_are_told_and_no_more(self, url: str) -> None:
        async with server_with(url) as server:
            for number in range(messages.SHOWN + 3):
                await server.post(str(number))
            told = await server.messages()
        assert told == [str(number) for number in reversed(range(3, messages.SHOWN + 3))]

    async def test_it_is_there_for_who_comes_later(self, url: str) -> None:
        for number in range(2):
            async with server_with(url) as server:
                assert await server.messages() == ["hello"] * number
                await server.post("hello")

    async def test_many_at_once_are_all_stored_and_counted(self, url: str) -> None:
        async with server_with(url) as one, server_with(url) as other:
            servers = [one, other] * 20
            posting = [each.post(str(number)) for number, each in enumerate(servers)]
            assert {status for status, _ in await asyncio.gather(*posting)} == {201}
            answers = await asyncio.gather(*[each.get() for each in servers])
        assert {status for status, _ in answers} == {200}
        assert sorted(answer["visits"] for _, answer in answers) == list(range(1, 41))
        async with store_for(url, LONG) as store:
            assert sorted(map(int, await store.latest(99))) == list(range(40))

    async def test_who_asks_after_the_end_is_told_so(self, url: str) -> None:
        async with store_for(url, LONG) as store:
            await store.visit()
        with pytest.raises(Gone):
            await store.visit()

    async def test_an_attack_is_a_text_like_any_other(self, url: str) -> None:
        attacks = [
            "'); DROP TABLE messages; --",
            "'), ('by nobody",
            "\\'); DELETE FROM messages; --",
            "%s %(text)s ? :text $1",
            '{"$gt": ""}',
            "$where",
            "<script>steal()</script>",
            "🐍\n\té\u2028",
            " ",
            "x" * messages.LONGEST_TEXT,
        ]
        async with server_with(url) as server:
            for attack in attacks:
                assert await server.post(attack) == (201, {"msg": attack})
            assert await server.messages() == attacks[::-1]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"hello",
            b"{}",
            b"[]",
            b'"hello"',
            b'{"msg": "hello"',
            b'{"msg": "\xff"}',
            b"[" * 10_000,
            *[
                json.dumps({"msg": msg}).encode()
                for msg in (
                    *({"$gt": ""}, {"$where": "sleep(1000)"}, ["hello"], None, True, 1, ""),
                    *("a\0b", "\ud800", "x" * (messages.LONGEST_TEXT + 1)),
                )
            ],
        ],
        ids=lambda body: body[:20].decode("latin-1"),
    )
    async def test_what_is_no_text_is_refused_and_not_stored(self, body: bytes) -> None:
        async with server_with("sqlite:") as server:
            status, answer = await server.ask("POST", body)
            assert status == 400
            assert answer == {"error": 'The body is {"msg": TEXT}, of 1 to 500 characters'}
            assert await server.messages() == []

    async def test_a_page_of_another_site_cannot_post(self) -> None:
        async with running(messages.make_app()) as url:
            answer = await AsyncHTTPClient().fetch(
                f"{url}/messages",
                method="POST",
                body='{"msg": "hello"}',
                headers={"Sec-Fetch-Site": "cross-site"},
                raise_error=False,
            )
            assert answer.code == 403

    def test_bad_input_of_any_kind_gets_no_5xx_and_keeps_nobody_out(self) -> None:
        """With one database: PyMongo has tasks of its own, which come and go by themselves."""

        @asynccontextmanager
        async def start() -> AsyncIterator[str]:
            async with server_with("sqlite:") as server:
                yield server.url

        with serving(start) as server:
            # What is known of bodies is tried with the other handlers too.
            @settings(max_examples=10)
            @given(visits(http_requests(["/messages"], ["msg"])))
            def test(visit: Visit) -> None:
                server.survives(visit, "/messages")

            test()


class TestSecantus:
    """The real one. How it starts and ends is in test_databases.py."""

    def test_it_listens_here_alone_and_keeps_all_in_its_folder(self, mongo: str) -> None:
        servers = [
            (place, Path(process.cwd()))
            for process in psutil.Process().children(recursive=True)
            for place in process.net_connections("inet")
            if place.status == psutil.CONN_LISTEN
        ]
        [(place, folder)] = servers
        assert mongo == f"mongodb://127.0.0.1:{place.laddr.port}"
        assert place.laddr.ip == "127.0.0.1"
        assert folder.name.startswith("secantus-")
        assert [each for each in folder.iterdir() if each.is_dir()]


class TestThatIsNotThere:
    @pytest.mark.parametrize("where", ["sqlite:{0}/nowhere/a.db", "sqlite:{0}"])
    async def test_no_file(self, where: str, tmp_path: Path) -> None:
        async with server_with(where.format(tmp_path)) as server:
            assert await server.post("hello") == GONE

    async def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (file := tmp_path / "a.db").write_text("hello " * 1000)
        async with server_with(f"sqlite:{file}") as server:
            assert await server.post("hello") == GONE
        assert file.read_text() == "hello " * 1000

    @pytest.mark.parametrize("scheme", ["mongodb", "postgresql"])
    async def test_nobody_listens(self, scheme: str) -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            place = f"{scheme}://127.0.0.1:{bound.getsockname()[1]}/x"
            async with server_with(place, 0.2) as server:
                assert await server.get() == GONE

    @pytest.mark.parametrize("scheme", ["mongodb", "postgresql"])
    async def test_nobody_answers(self, scheme: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            place = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/x"
            async with server_with(place, 0.2) as server:
                answers = await asyncio.gather(*[server.get() for _ in range(3)])
                assert answers == [GONE] * 3

    @pytest.mark.parametrize("scheme", ["mongodb", "postgresql"])
    async def test_who_gives_up_leaves_no_connection_open(
        self, scheme: str, open_descriptors: Callable[[], int]
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            place = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/x"
            counts = []
            for _ in range(3):
                async with server_with(place, 0.05) as server:
                    assert await server.get() == GONE
                    assert await server.get() == GONE
                counts.append(open_descriptors())
        assert counts[1] == counts[2]

    @pytest.mark.parametrize("scheme", ["mongodb", "postgresql"])
    @pytest.mark.parametrize("nonsense", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 99])
    async def test_somebody_else_answers(self, scheme: str, nonsense: bytes) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(nonsense)
            writer.close()

        stranger = await asyncio.start_server(answer, "127.0.0.1", 0)
        place = f"{scheme}://127.0.0.1:{stranger.sockets[0].getsockname()[1]}/x"
        async with server_with(place, 0.2) as server:
            assert await server.get() == GONE
        stranger.close()
        await stranger.wait_closed()


@asynccontextmanager
async def server_on_a_line(url: str, patience: float) -> AsyncIterator[tuple[Server, Line]]:
    """Give a server, with a line to its database; on it the address of that is another."""
    if url.startswith("mongodb"):
        host, _, port = url.removeprefix("mongodb://").partition("/")[0].partition(":")

        async def connect() -> Connected:
            return await asyncio.open_connection(host, int(port))

        async with line_to(connect) as line:
            other = url.replace(f":{port}/", f":{line.port}/") + "?directConnection=true"
            async with server_with(other, patience) as server:
                yield server, line
        return
    conninfo = pytest.importorskip("psycopg.conninfo")
    given = conninfo.conninfo_to_dict(url)
    host, number = str(given.get("host", "127.0.0.1")), int(given.get("port", 5432))

    async def connect_to_postgres() -> Connected:
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{number}")
        return await asyncio.open_connection(host, number)

    async with line_to(connect_to_postgres) as line:
        other = f"{url}&host=127.0.0.1&port={line.port}&sslmode=disable"
        async with server_with(other, patience) as server:
            yield server, line


class TestThatGoesAndComesBack:
    @pytest.fixture(params=["mongo", "postgres"])
    def remote(self, request: pytest.FixtureRequest) -> str:
        found: str = request.getfixturevalue(f"{request.param}_url")
        return found

    async def test_whose_line_is_cut(self, remote: str) -> None:
        async with server_on_a_line(remote, 0.5) as (server, line):
            await server.post_until_it_is_stored("before")
            line.cut()
            assert await server.post("meanwhile") == GONE
            line.mend()
            await server.post_until_it_is_stored("after")
            told = await server.messages()
        assert [msg for msg in told if msg != "meanwhile"] == ["after", "before"]

    async def test_that_says_nothing_for_a_while(self, remote: str) -> None:
        async with server_on_a_line(remote, 0.5) as (server, line):
            await server.post_until_it_is_stored("before")
            line.hang()
            answers = await asyncio.gather(*[server.post("meanwhile") for _ in range(3)])
            assert answers == [GONE] * 3
            line.mend()
            await server.post_until_it_is_stored("after")
            told = await server.messages()
        # What was asked for has perhaps been done: nobody knows who got no answer.
        assert [msg for msg in told if msg != "meanwhile"] == ["after", "before"]

    async def test_that_says_nothing_to_the_end(
        self, remote: str, open_descriptors: Callable[[], int]
    ) -> None:
        counts = []
        # PyMongo would say good-bye for as long as it takes, and psycopg for ten seconds.
        async with asyncio.timeout(25):
            for _ in range(3):
                async with server_on_a_line(remote, 0.2) as (server, line):
                    await server.post_until_it_is_stored("before")
                    line.hang()
                    assert await server.get() == GONE
                counts.append(open_descriptors())
        assert counts[1] == counts[2]

    async def test_who_comes_while_another_server_makes_the_tables_waits_for_it(
        self, postgres_url: str
    ) -> None:
        psycopg = pytest.importorskip("psycopg")
        from stormy_demo.neighbours.stores import postgres

        async with store_for(postgres_url, LONG) as store:
            with psycopg.connect(postgres_url) as other:
                other.execute(postgres.TABLES)
                waits = await self.one_who_waits(store)
            await waits
            assert await store.latest(9) == ["hello"]

    async def test_a_connection_that_is_given_up_takes_no_other_along(
        self, postgres_url: str
    ) -> None:
        """The system gives the number of what is closed to the next that is opened."""
        psycopg = pytest.importorskip("psycopg")
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        async with store_for(postgres_url, LONG) as store:
            await store.visit()
            with psycopg.connect(postgres_url) as other:
                other.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
                waits = await self.one_who_waits(store)
                ends = list[socket.socket]()

                def somebody_comes() -> None:
                    ends.extend(socket.socketpair())
                    for end in ends:
                        end.setblocking(False)
                        loop.add_reader(end, heard.set)

                waits.cancel()
                loop.call_soon(somebody_comes)
                await asyncio.wait([waits])
                for end in ends:
                    heard.clear()
                    end.send(b"hello")
                    async with asyncio.timeout(5):
                        await heard.wait()
                    loop.remove_reader(ends[1 - ends.index(end)])
                for end in ends:
                    loop.remove_reader(end)
                    end.close()

    @staticmethod
    async def one_who_waits(store: Store) -> asyncio.Task[None]:
        """Somebody who has asked the database, which has not answered."""
        task = asyncio.create_task(store.add("hello"))
        assert not (await asyncio.wait([task], timeout=0.1))[0]
        return task

    async def test_a_file_in_which_somebody_else_writes(self, tmp_path: Path) -> None:
        file = tmp_path / "messages.db"
        async with server_with(f"sqlite:{file}", 0.5) as server:
            await server.post_until_it_is_stored("before")
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            answers = await asyncio.gather(*[server.post("meanwhile") for _ in range(5)])
            assert answers == [GONE] * 5
            other.execute("ROLLBACK")
            other.close()
            await server.post_until_it_is_stored("after")
            told = await server.messages()
        assert [msg for msg in told if msg != "meanwhile"] == ["after", "before"]

    async def test_a_file_in_which_somebody_writes_for_long_is_given_up_by_sqlite_itself(
        self, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        file = tmp_path / "messages.db"
        async with server_with(f"sqlite:{file}", 1.0) as server:
            await server.post_until_it_is_stored("before")
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            assert await server.post("meanwhile") == GONE
            other.close()
            assert await server.messages() == ["before"]
        [why] = [each for each in caplog.messages if each.startswith("the database")]
        assert why == "the database refuses, or does not answer: database is locked"

    async def test_what_was_given_up_at_a_file_is_not_done_later(self, tmp_path: Path) -> None:
        """But for one, who is in the thread already."""
        file = tmp_path / "messages.db"
        async with server_with(f"sqlite:{file}", 0.4) as server:
            await server.post_until_it_is_stored("before")
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            visitors = []
            for _ in range(15):
                visitors.append(asyncio.create_task(server.post("meanwhile")))
                await asyncio.sleep(0.04)
            assert await asyncio.gather(*visitors) == [GONE] * 15
            other.close()
            await server.post_until_it_is_stored("after")
            told = await server.messages()
        assert told.count("meanwhile") <= 1
        assert [msg for msg in told if msg != "meanwhile"] == ["after", "before"]

    async def test_who_is_refused_is_told_in_the_log_once(
        self, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        async with server_with(f"sqlite:{tmp_path}") as server:
            await server.get()
        [why] = [each for each in caplog.messages if each.startswith("the database")]
        assert why == ("the database refuses, or does not answer: unable to open database file")


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            *("", "nonsense", "sqlite", "mysql://127.0.0.1", "mongodb+srv://example.org"),
            *("mongodb:", "mongodb://", "mongodb://127.0.0.1:x", "mongodb://127.0.0.1:99999"),
            *("postgresql://127.0.0.1?nonsense=1", "postgresql://[127.0.0.1"),
            *("postgresql://127.0.0.1:x/", "postgres://127.0.0.1:99999/", "sqlite:\0"),
            *("mongodb://127.0.0.1/?tls=true&tlsCAFile=/nowhere", "mongodb://127.0.0.1/\0"),
        ],
    )
    def test_what_is_none_is_refused_in_one_sentence(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(messages.make_app, ["", "--logging=none", f"--database={url}"]) == 2
        out, err = capsys.readouterr()
        assert (len(err.splitlines()), out) == (1, "")

    @pytest.mark.parametrize(
        "url",
        [
            *("mongodb://ada:p@secret@127.0.0.1/x", "mongodb://ada:secret@127.0.0.1:x"),
            "mysql://ada:secret@127.0.0.1",
            *("postgres://ada:secret@127.0.0.1:x", "postgres://ada:secret@127.0.0.1/x?y=1"),
            *("postgresql://ada:secret@[::1", "postgresql://ada:secret@[::1]nonsense"),
        ],
    )
    def test_a_password_is_not_told(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(messages.make_app, ["", "--logging=none", f"--database={url}"]) == 2
        assert "secret" not in capsys.readouterr().err

    @pytest.mark.parametrize("patience", ["0", "-1", "nan", "inf", "1e9"])
    def test_no_patience_is_refused(
        self, patience: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(messages.make_app, ["", "--logging=none", f"--patience={patience}"]) == 2
        assert "patience must be more than 0 seconds" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("url", "package", "module"),
        [
            ("sqlite:", "aiosqlite", "sqlite"),
            ("mongodb://127.0.0.1", "pymongo", "mongo"),
            ("postgresql://127.0.0.1", "psycopg", "postgres"),
        ],
    )
    def test_where_a_driver_is_missing_it_says_what_to_install(
        self, url: str, package: str, module: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delitem(sys.modules, f"stormy_demo.neighbours.stores.{module}", False)
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ImportError, match=f"pip install .*{package}"):
            store_for(url)
        with pytest.raises(ValueError, match=f"pip install .*{package}"):
            messages.make_app(url)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
class TestProgram:
    async def test_what_it_stored_is_there_after_its_end(self, url: str) -> None:
        with started(f"--database={url}") as program:
            server = Server(address_of(program))
            await server.post("hello")
            server.client.close()
            program.send_signal(signal.SIGTERM)
            out, err = program.communicate(timeout=LONG)
        # Nothing that it left open is complained of.
        assert (program.returncode, out, err) == (0, "stopped\n", "")
        async with server_with(url) as server:
            assert await server.messages() == ["hello"]

    async def test_ends_while_its_database_does_not_answer(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            place = f"mongodb://127.0.0.1:{silent.getsockname()[1]}"
            with started(f"--database={place}", "--patience=0.2") as program:
                server = Server(address_of(program))
                assert await server.get() == GONE
                server.client.close()
                program.send_signal(signal.SIGTERM)
                out, err = program.communicate(timeout=LONG)
        assert (program.returncode, out) == (0, "stopped\n")
        [line] = err.splitlines()
        assert " 503 GET /messages " in line


def started(*options: str) -> subprocess.Popen[str]:
    return quick_start.Popen(
        [
            *(sys.executable, "-W", "default::ResourceWarning"),
            *("-m", "stormy_demo.neighbours.messages", "--port=0", "--logging=error"),
            *options,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def address_of(program: subprocess.Popen[str]) -> str:
    assert program.stdout
    return program.stdout.readline().split()[2]
