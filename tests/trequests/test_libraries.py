"""Libraries that nobody here wrote wait politely, without a change to them.

They do more to requests than call it: they mount adapters of their own, send again from inside
a hook, stream in both directions, keep locks, threads and a class of sessions of their own.
Where it says "stock", the same test is run as the library's authors know it, on a thread.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import importlib
import os
import socket
import ssl
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
import requests_cache
from pypi_simple import PyPISimple
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from requests_cache.backends.sqlite import SQLiteDict
from requests_toolbelt import (
    GuessAuth,
    MultipartEncoder,
    MultipartEncoderMonitor,
    SourceAddressAdapter,
    SSLAdapter,
    threaded,
)
from requests_toolbelt.adapters.fingerprint import FingerprintAdapter
from requests_toolbelt.adapters.host_header_ssl import HostHeaderSSLAdapter
from requests_toolbelt.adapters.socket_options import SocketOptionsAdapter, TCPKeepAliveAdapter
from requests_toolbelt.downloadutils.stream import stream_response_to_file
from requests_toolbelt.sessions import BaseUrlSession
from requests_toolbelt.threaded.thread import SessionThread
from requests_toolbelt.utils.dump import dump_all
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPFile, parse_multipart_form_data
from tornado.netutil import bind_sockets
from tornado.web import Application, FallbackHandler, RequestHandler, stream_request_body
from tornado.wsgi import WSGIContainer

from loopfilm import running, running_apart
from tornalet import run
from trequests import setup_session

pytestmark = [
    pytest.mark.filterwarnings(
        "error",
        # Each of these libraries uses something that is deprecated. Our own warning, of which
        # there must be none, is a RuntimeWarning.
        "ignore::DeprecationWarning",
        "ignore::FutureWarning",
        "ignore::ImportWarning",
        "ignore:Properties that return a na:UserWarning",
    ),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

Way = Callable[..., Awaitable[Any]]

# Fewer than asyncio has threads on a machine with one core.
VISITORS = 4
LARGE = 20_000_000  # bytes, more than all that lies between a client and a server takes


@pytest.fixture(params=["stock", "sockets"])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    """A way to run plain code that uses requests: as ever, or politely on the loop."""
    if request.param == "stock":
        yield asyncio.to_thread
        return
    with setup_session(engine="sockets"):
        yield run


@pytest.fixture
def politely() -> Iterator[Way]:
    with setup_session(engine="sockets"):
        yield run


def need(name: str) -> ModuleType:
    """Import what only the tests of libraries' own suites have to have installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{name} is not installed")


class Together:
    """Lets nobody through before this many have come, and then as many again.

    An overlap needs no luck then. If the first held the loop, all would wait for ever.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._waiting = list[asyncio.Event]()

    async def __call__(self) -> None:
        here = asyncio.Event()
        self._waiting.append(here)
        if len(self._waiting) >= self.number:
            for each in self._waiting:
                each.set()
            self._waiting = []
        await here.wait()


class Visit(RequestHandler):
    """Tells who comes from where, and how, when everybody has come."""

    def initialize(self, together: Together) -> None:
        self.together = together

    async def get(self) -> None:
        await self.together()
        connection = self.request.connection.stream.socket  # type: ignore[union-attr]
        self.write(
            {
                "user": self.get_argument("user", None),
                "from": connection.getpeername()[0],
                "host": self.request.host,
                "tls": connection.version() if isinstance(connection, ssl.SSLSocket) else None,
            }
        )


def visits(together: int = VISITORS) -> Application:
    return Application([("/visit", Visit, {"together": Together(together)})])


class Certified:
    """A certificate for some names, and whoever vouches for it."""

    def __init__(self, folder: Path, *names: str) -> None:
        trustme = need("trustme")
        authority = trustme.CA()
        self.authority = str(folder / "authority.pem")
        authority.cert_pem.write_to_path(self.authority)
        issued = authority.issue_cert(*names)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(self.context)
        der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
        self.fingerprint = hashlib.sha256(der).hexdigest()

    @contextlib.asynccontextmanager
    async def running(self, app: Application) -> AsyncIterator[str]:
        server = HTTPServer(app, ssl_options=self.context)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        try:
            yield f"https://127.0.0.1:{sockets[0].getsockname()[1]}"
        finally:
            server.stop()
            await server.close_all_connections()


def mounted(adapter: HTTPAdapter) -> requests.Session:
    session = requests.Session()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


@stream_request_body
class Upload(RequestHandler):
    """Reads the first piece of what is sent to it, and the rest when the script says so."""

    def initialize(self, begun: asyncio.Queue[None], release: asyncio.Event) -> None:
        self.begun = begun
        self.release = release
        self.received = bytearray()

    async def data_received(self, chunk: bytes) -> None:
        if not self.received:
            self.begun.put_nowait(None)
            await self.release.wait()
        self.received += chunk

    def post(self) -> None:
        fields = dict[str, list[bytes]]()
        files = dict[str, list[HTTPFile]]()
        boundary = self.request.headers["Content-Type"].partition("boundary=")[2]
        parse_multipart_form_data(boundary.encode(), bytes(self.received), fields, files)
        [file] = files["file"]
        self.write(
            {
                "title": fields["title"][0].decode(),
                "name": file.filename,
                "sha256": hashlib.sha256(file.body).hexdigest(),
            }
        )


class Download(RequestHandler):
    """Gives the first half of something large, and the rest when the script says so."""

    def initialize(
        self, data: bytes, begun: asyncio.Queue[None], release: asyncio.Event
    ) -> None:
        self.data = data
        self.begun = begun
        self.release = release

    async def get(self) -> None:
        name = self.get_argument("as")
        self.set_header("Content-Disposition", f"attachment; filename={name}")
        half = len(self.data) // 2
        self.write(self.data[:half])
        await self.flush()
        self.begun.put_nowait(None)
        await self.release.wait()
        self.write(self.data[half:])


class TestToolbeltStreams:
    async def test_large_uploads_do_not_hold_anybody_up(self, way: Way, tmp_path: Path) -> None:
        data = os.urandom(LARGE)
        file = tmp_path / "data.bin"
        file.write_bytes(data)
        begun, release = asyncio.Queue[None](), asyncio.Event()
        progress: dict[str, list[int]] = {"ada": [], "grace": []}

        def upload(url: str, title: str) -> tuple[int, Any]:
            with file.open("rb") as stream:
                encoder = MultipartEncoder(
                    {"title": title, "file": ("data.bin", stream, "application/octet-stream")}
                )
                body = MultipartEncoderMonitor(
                    encoder, lambda monitor: progress[title].append(monitor.bytes_read)
                )
                answer = requests.post(
                    f"{url}/upload",
                    data=body,
                    headers={"Content-Type": body.content_type},
                    timeout=500,
                )
            return encoder.len, answer.json()

        app = visits(together=1)
        app.add_handlers(".*", [("/upload", Upload, {"begun": begun, "release": release})])
        async with running(app) as url:
            uploads = [asyncio.create_task(way(upload, url, title)) for title in progress]
            for _ in uploads:
                await begun.get()
            # Both are stuck in the middle, since the server reads no further.
            answer = await way(requests.get, f"{url}/visit?user=alan", timeout=500)
            assert answer.json()["user"] == "alan"
            assert not any(task.done() for task in uploads)
            release.set()
            answers = await asyncio.gather(*uploads)
        sha256 = hashlib.sha256(data).hexdigest()
        for title, (length, said) in zip(progress, answers, strict=True):
            assert said == {"title": title, "name": "data.bin", "sha256": sha256}
            assert progress[title] == sorted(progress[title])
            assert progress[title][-1] == length > LARGE

    async def test_large_downloads_do_not_hold_anybody_up(
        self, way: Way, tmp_path: Path
    ) -> None:
        data = os.urandom(LARGE)
        begun, release = asyncio.Queue[None](), asyncio.Event()

        def download(url: str, name: str) -> Any:
            address = f"{url}/download?as={name}"
            with requests.get(address, stream=True, timeout=500) as answer:
                return stream_response_to_file(answer, path=str(tmp_path), chunksize=100_000)

        app = visits(together=1)
        how = {"data": data, "begun": begun, "release": release}
        app.add_handlers(".*", [("/download", Download, how)])
        async with running(app) as url:
            names = ["ada.bin", "grace.bin"]
            downloads = [asyncio.create_task(way(download, url, name)) for name in names]
            for _ in downloads:
                await begun.get()
            answer = await way(requests.get, f"{url}/visit?user=alan", timeout=500)
            assert answer.json()["user"] == "alan"
            assert not any(task.done() for task in downloads)
            release.set()
            files = await asyncio.gather(*downloads)
        assert files == [str(tmp_path / name) for name in names]
        for file in files:
            assert Path(file).read_bytes() == data


class TestToolbeltAdapters:
    """Whoever mounts an adapter wants its settings; all others wait meanwhile, or not at all.

    The adapters are mounted after the session was made, each on a session of its own.
    """

    async def visit(
        self,
        way: Way,
        url: str,
        make_adapter: Callable[[], HTTPAdapter],
        look: Callable[[requests.Response], Any] = requests.Response.json,
        **options: Any,
    ) -> list[Any]:
        """Let all visitors come at once, and return what each found."""

        def code() -> Any:
            with (
                mounted(make_adapter()) as session,
                session.get(f"{url}/visit", stream=True, timeout=500, **options) as answer,
            ):
                return look(answer)

        return await asyncio.gather(*(way(code) for _ in range(VISITORS)))

    async def test_the_address_one_comes_from(self, way: Way) -> None:
        # Every address that begins with 127 is this machine, except on a Mac.
        mine = "127.0.0.1" if sys.platform == "darwin" else "127.0.0.2"
        async with running(visits()) as url:
            found = await self.visit(way, url, lambda: SourceAddressAdapter(mine))
        assert [visit["from"] for visit in found] == [mine] * VISITORS

    @pytest.mark.parametrize(
        "make_adapter",
        [
            TCPKeepAliveAdapter,
            lambda: SocketOptionsAdapter(
                socket_options=[(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
            ),
        ],
        ids=["TCPKeepAliveAdapter", "SocketOptionsAdapter"],
    )
    async def test_the_options_of_a_socket(
        self, way: Way, make_adapter: Callable[[], HTTPAdapter]
    ) -> None:
        def kept_alive(answer: requests.Response) -> bool:
            sock = answer.raw.connection.sock
            return sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0

        async with running(visits()) as url:
            assert await self.visit(way, url, make_adapter, kept_alive) == [True] * VISITORS
            assert await self.visit(way, url, HTTPAdapter, kept_alive) == [False] * VISITORS

    async def test_an_adapter_that_was_there_before(self) -> None:
        """A session that is older than the setup is given to it, with all it has mounted."""
        before = [requests.Session.__init__, requests.Session.mount]
        adapters = [TCPKeepAliveAdapter() for _ in range(VISITORS)]
        sessions = [mounted(adapter) for adapter in adapters]

        def code(session: requests.Session) -> bool:
            with session.get(f"{url}/visit", stream=True, timeout=500) as answer:
                sock = answer.raw.connection.sock
                return sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0

        with contextlib.ExitStack() as undo:
            for session in sessions:
                undo.enter_context(setup_session(session, engine="sockets"))
            async with running(visits()) as url:
                asked = (run(code, session) for session in sessions)
                assert await asyncio.gather(*asked) == [True] * VISITORS
        assert [session.get_adapter("http://127.0.0.1/") for session in sessions] == adapters
        assert [requests.Session.__init__, requests.Session.mount] == before

    async def test_a_pool_with_one_place(self, way: Way) -> None:
        """All take turns on one connection, and who waits for it does not hold the others."""
        session = mounted(SourceAddressAdapter("127.0.0.1", pool_maxsize=1, pool_block=True))

        def code(user: str) -> Any:
            answer = session.get(f"{url}/visit", params={"user": user}, timeout=500)
            return answer.json()["user"]

        async with running(visits(together=1)) as url:
            users = ["ada", "grace", "alan"]
            assert await asyncio.gather(*(way(code, user) for user in users)) == users

    @pytest.mark.parametrize("version", ["TLSv1_2", "TLS_CLIENT"])
    async def test_the_version_of_tls(self, way: Way, version: str, tmp_path: Path) -> None:
        certified = Certified(tmp_path, "127.0.0.1")
        protocol = getattr(ssl, f"PROTOCOL_{version}")
        async with certified.running(visits()) as url:
            found = await self.visit(
                way, url, lambda: SSLAdapter(protocol), verify=certified.authority
            )
        expected = "TLSv1.2" if version == "TLSv1_2" else "TLSv1.3"
        assert [visit["tls"] for visit in found] == [expected] * VISITORS

    async def test_the_fingerprint_of_a_certificate(self, way: Way, tmp_path: Path) -> None:
        certified = Certified(tmp_path, "127.0.0.1")
        async with certified.running(visits()) as url:
            right = await self.visit(
                way,
                url,
                lambda: FingerprintAdapter(certified.fingerprint),
                verify=certified.authority,
            )
            wrong = FingerprintAdapter("0" * len(certified.fingerprint))
            with pytest.raises(
                requests.exceptions.SSLError, match="Fingerprints did not match"
            ):
                await way(mounted(wrong).get, url, verify=certified.authority, timeout=500)
        assert len(right) == VISITORS

    async def test_the_name_of_a_host_that_is_asked_by_its_address(
        self, way: Way, tmp_path: Path
    ) -> None:
        certified = Certified(tmp_path, "storm.example.org")
        named = {"headers": {"Host": "storm.example.org"}, "verify": certified.authority}
        async with certified.running(visits()) as url:
            found = await self.visit(way, url, HostHeaderSSLAdapter, **named)
            assert [visit["host"] for visit in found] == ["storm.example.org"] * VISITORS
            with pytest.raises(requests.exceptions.SSLError, match="IP address mismatch"):
                await way(mounted(HTTPAdapter()).get, url, **named, timeout=500)

    async def test_a_tls_of_somebody_else_s_waits_on_a_thread(
        self, politely: Way, tmp_path: Path
    ) -> None:
        """pyOpenSSL has sockets of its own, which block: a thread has them."""
        need("OpenSSL")
        from requests_toolbelt.adapters.x509 import X509Adapter

        mine = need("trustme").CA().issue_cert("ada@example.org")
        certified = Certified(tmp_path, "127.0.0.1")

        def code(url: str) -> Any:
            adapter = X509Adapter(
                cert_bytes=mine.cert_chain_pems[0].bytes(),
                pk_bytes=mine.private_key_pem.bytes(),
            )
            session = mounted(adapter)
            return session.get(f"{url}/visit", verify=certified.authority, timeout=500).json()

        async with certified.running(visits(together=1)) as url:
            assert (await politely(code, url))["tls"]
            assert (await asyncio.to_thread(code, url))["tls"]


class TestToolbeltSessions:
    async def test_addresses_below_another(self, way: Way) -> None:
        def code(user: str) -> Any:
            with BaseUrlSession(base_url=f"{url}/") as session:
                return session.get("visit", params={"user": user}, timeout=500).json()["user"]

        async with running(visits()) as url:
            users = [f"visitor {n}" for n in range(VISITORS)]
            assert await asyncio.gather(*(way(code, user) for user in users)) == users

    async def test_a_second_request_from_inside_a_hook(self, way: Way) -> None:
        """How the service wants to be told who asks is guessed from its first answer."""

        class Secret(Visit):
            async def get(self) -> None:
                credentials = base64.b64encode(b"ada:secret").decode()
                if self.request.headers.get("Authorization") == f"Basic {credentials}":
                    await super().get()
                else:
                    # Everybody hears no before anybody comes again.
                    await refused()
                    self.set_status(401)
                    self.set_header("WWW-Authenticate", 'Basic realm="here"')

        def code() -> tuple[list[int], int]:
            auth = GuessAuth("ada", "secret")
            answer = requests.get(f"{url}/secret", auth=auth, timeout=500)
            return [before.status_code for before in answer.history], answer.status_code

        refused = Together(VISITORS)
        app = Application([("/secret", Secret, {"together": Together(VISITORS)})])
        async with running(app) as url:
            answers = await asyncio.gather(*(way(code) for _ in range(VISITORS)))
        assert answers == [([401], 200)] * VISITORS

    async def test_a_look_at_what_was_sent(self, way: Way) -> None:
        def code() -> str:
            answer = requests.get(f"{url}/visit?user=ada", timeout=500)
            return bytes(dump_all(answer)).decode()

        async with running(visits(together=1)) as url:
            dumped = await way(code)
        assert dumped.startswith("< GET /visit?user=ada HTTP/1.1\r\n")
        assert "> HTTP/1.1 200 OK\r\n" in dumped
        assert '"user": "ada"' in dumped

    async def test_threads_of_its_own_are_left_alone(
        self, politely: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody waits on them but they, so they block, and there is nothing to warn of.

        Whoever waits for all of them is the thread that started them. That is no business of
        requests', and so would hold the loop if it were not on a thread too.
        """

        make_request = SessionThread._make_request

        def when_it_is_made(thread: Any) -> None:
            # It starts before it has all of its attributes, which a busy machine shows.
            while not hasattr(thread, "_exceptions"):
                pass
            make_request(thread)

        monkeypatch.setattr(SessionThread, "_make_request", when_it_is_made)

        def code(url: str) -> list[Any]:
            asked = [
                {"method": "GET", "url": f"{url}/visit?user={n}", "timeout": 500}
                for n in range(VISITORS)
            ]
            answers, errors = threaded.map(asked, num_processes=VISITORS)
            assert list(errors) == []
            return sorted(answer.json()["user"] for answer in answers)

        expected = [str(n) for n in range(VISITORS)]
        async with running(visits()) as url:
            assert await asyncio.to_thread(code, url) == expected
        with running_apart(visits()) as url:
            assert await politely(code, url) == expected


class Counting(RequestHandler):
    """Counts who asks, and may say that nothing has changed since."""

    def initialize(self, together: Together, asked: Counter[str]) -> None:
        self.together = together
        self.asked = asked

    async def get(self) -> None:
        user = self.get_argument("user")
        self.asked[user] += 1
        await self.together()
        # Tornado makes an ETag of it, and a 304 when that is what the client has.
        self.write({"user": user})


@pytest.fixture
def looked_up_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one thread at a time look into a file of sqlite.

    requests-cache has one connection for all. On Python 3.15 one of some thousand looks finds
    nothing where something is, if another thread looks meanwhile.
    """
    look, lock = SQLiteDict.__getitem__, threading.Lock()

    def in_turn(kept: SQLiteDict, key: str) -> Any:
        with lock:
            return look(kept, key)

    monkeypatch.setattr(SQLiteDict, "__getitem__", in_turn)


@pytest.fixture(params=["memory", "sqlite", "filesystem"])
def cached_session(
    request: pytest.FixtureRequest, tmp_path: Path, looked_up_in_turn: None
) -> Callable[..., CachedSession]:
    """Make a session of requests-cache on each of its stores; each has locks of its own."""

    # Milliseconds: threads wait for each other at the file, by itself for five seconds only.
    patience = {"busy_timeout": 500_000} if request.param == "sqlite" else {}

    def make(**options: Any) -> CachedSession:
        place = str(tmp_path / "cache")
        return CachedSession(place, backend=request.param, **patience, **options)

    return make


class TestCache:
    """No lock of the cache's is held while an answer is under way.

    If one were, the greenlet that asks for it would hold the loop, and with it the answer.
    """

    def setup_method(self) -> None:
        self.asked = Counter[str]()

    def counting(self, together: int) -> Application:
        return Application(
            [("/", Counting, {"together": Together(together), "asked": self.asked})]
        )

    async def test_different_questions_overlap_and_are_not_asked_again(
        self, way: Way, cached_session: Callable[..., CachedSession]
    ) -> None:
        def ask(user: str) -> tuple[str, bool]:
            answer = session.get(url, params={"user": user}, timeout=500)
            return answer.json()["user"], answer.from_cache

        users = [f"visitor {n}" for n in range(VISITORS)]
        async with running(self.counting(VISITORS)) as url:
            with cached_session() as session:
                first = await asyncio.gather(*(way(ask, user) for user in users))
                again = await asyncio.gather(*(way(ask, user) for user in users))
        assert first == [(user, False) for user in users]
        assert again == [(user, True) for user in users]
        assert self.asked == dict.fromkeys(users, 1)

    async def test_the_same_question_at_the_same_time(
        self, way: Way, cached_session: Callable[..., CachedSession]
    ) -> None:
        """Nobody has an answer to share yet, so all ask, and all are kept in the same place."""

        def ask() -> bool:
            answer = session.get(url, params={"user": "ada"}, timeout=500)
            assert answer.json()["user"] == "ada"
            return bool(answer.from_cache)

        async with running(self.counting(VISITORS)) as url:
            with cached_session() as session:
                first = await asyncio.gather(*(way(ask) for _ in range(VISITORS)))
                again = await asyncio.gather(*(way(ask) for _ in range(VISITORS)))
                kept = len(session.cache.responses)
        assert first == [False] * VISITORS
        assert again == [True] * VISITORS
        assert self.asked == {"ada": VISITORS}
        assert kept == 1

    async def test_whether_something_has_changed_is_asked_politely_too(
        self, way: Way, cached_session: Callable[..., CachedSession]
    ) -> None:
        def ask(user: str) -> tuple[str, bool]:
            answer = session.get(url, params={"user": user}, timeout=500)
            return answer.json()["user"], answer.from_cache

        users = [f"visitor {n}" for n in range(VISITORS)]
        async with running(self.counting(VISITORS)) as url:
            with cached_session(always_revalidate=True) as session:
                await asyncio.gather(*(way(ask, user) for user in users))
                again = await asyncio.gather(*(way(ask, user) for user in users))
        assert again == [(user, True) for user in users]
        assert self.asked == dict.fromkeys(users, 2)

    async def test_news_that_are_fetched_on_a_thread_meanwhile(self, way: Way) -> None:
        """The old answer is given at once. The new one comes on a thread, which may block."""

        def ask() -> bool:
            return bool(session.get(url, params={"user": "ada"}, timeout=500).from_cache)

        news = asyncio.Event()

        class Announced(Counting):
            def on_finish(self) -> None:
                if self.asked["ada"] == 2:
                    news.set()

        how = {"together": Together(1), "asked": self.asked}
        async with running(Application([("/", Announced, how)])) as url:
            with CachedSession(backend="memory", stale_while_revalidate=True) as session:
                assert not await way(ask)
                session.cache.reset_expiration(datetime(2001, 1, 1, tzinfo=UTC))
                assert await way(ask)
                await news.wait()
        assert self.asked == {"ada": 2}

    @pytest.mark.parametrize("first", ["the cache", "the setup"])
    @pytest.mark.parametrize("undone_first", ["the cache", "the setup"])
    async def test_a_cache_for_all_sessions(self, first: str, undone_first: str) -> None:
        """`install_cache` puts a class of its own in the place of `requests.Session`."""

        def ask(user: str) -> bool:
            answer = requests.get(url, params={"user": user}, timeout=500)
            assert answer.json()["user"] == user
            return bool(getattr(answer, "from_cache", False))

        stock = requests.Session
        before = stock.__init__, stock.mount
        do = {
            "the cache": lambda: requests_cache.install_cache(backend="memory"),
            "the setup": lambda: undo.enter_context(setup_session(engine="sockets")),
        }
        undo = contextlib.ExitStack()
        second = {"the cache": "the setup", "the setup": "the cache"}
        try:
            do[first]()
            do[second[first]]()
            users = [f"visitor {n}" for n in range(VISITORS)]
            async with running(self.counting(VISITORS)) as url:
                answers = await asyncio.gather(*(run(ask, user) for user in users))
                assert answers == [False] * VISITORS
                answers = await asyncio.gather(*(run(ask, user) for user in users))
                assert answers == [True] * VISITORS
        finally:
            if undone_first == "the setup":
                undo.close()
            requests_cache.uninstall_cache()
            undo.close()
        assert requests.Session is stock
        assert (stock.__init__, stock.mount) == before


class Shelf(FallbackHandler):
    """An index of packages, behind a door that opens when everybody has come."""

    def initialize(self, fallback: Any, together: Together) -> None:
        super().initialize(fallback)
        self.together = together

    async def prepare(self) -> None:  # type: ignore[override]
        await self.together()
        super().prepare()


class TestPackages:
    async def test_a_client_of_an_index(
        self, way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It finds the versions, and gets a file piece by piece, whose digest it checks."""
        shelf, desk = tmp_path / "shelf", tmp_path / "desk"
        shelf.mkdir()
        data = {version: os.urandom(200_000) for version in ("1.0", "1.1", "2.0")}
        for version, content in data.items():
            (shelf / f"storm-{version}.tar.gz").write_bytes(content)

        def code(version: str) -> list[str | None]:
            with PyPISimple(f"{url}/simple/") as client:
                packages = client.get_project_page("storm").packages
                [wanted] = [package for package in packages if package.version == version]
                assert wanted.digests
                client.download_package(wanted, desk / version / wanted.filename)
                return sorted(str(package.version) for package in packages)

        # It leaves an importer behind that Python warns of at each import from then on.
        monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
        pypiserver = importlib.import_module("pypiserver")
        index = WSGIContainer(pypiserver.app(roots=[shelf]))
        how = {"fallback": index, "together": Together(len(data))}
        async with running(Application([(".*", Shelf, how)])) as url:
            found = await asyncio.gather(*(way(code, version) for version in data))
        assert found == [sorted(data)] * len(data)
        for version, content in data.items():
            assert (desk / version / f"storm-{version}.tar.gz").read_bytes() == content


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
class TestProcesses:
    async def test_a_fork_of_plain_code_asks_as_stock_requests_does(self) -> None:
        """It has a copy of the greenlet, but nobody who could await for it.

        So it is with the workers of `multiprocessing`, on systems where they are forks.
        """

        def code(url: str) -> int:
            child = os.fork()
            if child:
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            status = 1
            try:
                answer = requests.get(f"{url}/visit?user=ada", timeout=500)
                status = 0 if answer.json()["user"] == "ada" else 2
            finally:
                os._exit(status)

        with running_apart(visits(together=1)) as url, setup_session(engine="sockets"):
            assert await run(code, url) == 0
