"""How many connections stay open when nobody asks any more."""

from __future__ import annotations

import asyncio
import http.server
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from tornado.iostream import IOStream

import tornalet
from trequests import setup_session
from trequests.engines import keeping

from .test_clients import Server, Way, asked, engines, serving

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

HI = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
AT_ONCE = 30


@asynccontextmanager
async def patient(at_once: int = AT_ONCE) -> AsyncIterator[Server]:
    """Serve, and answer when so many have asked, so that each has a connection."""
    have_asked = 0
    all_have = asyncio.Event()

    async def talk(stream: IOStream) -> None:
        nonlocal have_asked, all_have
        while True:
            await asked(stream)
            have_asked += 1
            mine = all_have
            if have_asked % at_once == 0:
                mine.set()
                all_have = asyncio.Event()
            await mine.wait()
            await stream.write(HI)

    async with serving(talk) as server:
        yield server


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(300):
        while not is_so():
            await asyncio.sleep(0.005)


async def all_at_once(session: requests.Session, server: Server) -> None:
    url = f"http://127.0.0.1:{server.port}/"
    await asyncio.gather(*(tornalet.run(session.get, url) for _ in range(AT_ONCE)))


@engines("sockets", "curl")
async def test_after_a_while_no_more_are_kept_than_requests_keeps(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SPARE_SECONDS", 0.02)
    with requests.Session() as session, setup_session(session, engine=engine):
        async with patient() as server:
            await all_at_once(session, server)
            assert len(server.talks) > keeping.KEPT
            await until(lambda: len(server.talks) <= keeping.KEPT)
            # What is left works, and so does what comes after it.
            await all_at_once(session, server)


@engines("sockets", "curl")
async def test_a_session_that_is_closed_keeps_none(engine: str) -> None:
    session = requests.Session()
    with setup_session(session, engine=engine):
        async with patient() as server:
            await all_at_once(session, server)
            await all_at_once(session, server)
            # None of the second round has connected anew.
            assert len(server.talks) == AT_ONCE
            session.close()
            await until(lambda: not server.talks)


@engines("sockets", "curl")
async def test_a_session_that_is_closed_in_the_middle_keeps_none(engine: str) -> None:
    session = requests.Session()
    with setup_session(session, engine=engine):
        async with patient(2) as server:
            url = f"http://127.0.0.1:{server.port}/"
            first = asyncio.create_task(tornalet.run(session.get, url))
            await until(lambda: len(server.talks) == 1)
            session.close()
            await Way(engine)(requests.get, url)
            assert (await first).text == "hi"
            # An answer refers to the connections that it came from.
            del first
            await until(lambda: not server.talks)


def test_on_threads_it_keeps_what_requests_keeps() -> None:
    asking = threading.Barrier(12)

    class Page(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asking.wait(300)
            self.wfile.write(HI)

        def log_message(self, *_: Any) -> None:
            pass

    with serving_apart(Page) as port, requests.Session() as session, setup_session(session):
        url = f"http://127.0.0.1:{port}/"
        threads = [threading.Thread(target=session.get, args=(url,)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said = repr(session.get_adapter(url))
    assert f"places in use: 0, connections kept: {keeping.KEPT}>" in said


@engines("sockets", "curl")
def test_a_loop_that_was_closed_keeps_none_when_another_asks(
    engine: str, open_descriptors: Callable[[], int]
) -> None:
    asking = threading.Barrier(12)
    connected = list[int]()

    class Page(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asking.wait(300)
            self.wfile.write(HI)

        def log_message(self, *_: Any) -> None:
            pass

    async def burst() -> None:
        await asyncio.gather(*(tornalet.run(session.get, url) for _ in range(12)))
        connected.append(open_descriptors())

    with (
        serving_apart(Page) as port,
        requests.Session() as session,
        setup_session(session, engine=engine),
    ):
        url = f"http://127.0.0.1:{port}/"
        for _ in range(3):
            asyncio.run(burst())
    # Both ends of those of two loops, had they stayed, would be 48.
    assert connected[2] - connected[0] < 24


@contextmanager
def serving_apart(
    page: type[http.server.BaseHTTPRequestHandler], context: ssl.SSLContext | None = None
) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), page)
    server.block_on_close = False
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


MANY = """
import asyncio, os, resource, sys
import requests
from tornalet import run
from trequests import setup_session

engine, at_once, limit, *urls = sys.argv[1:]
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (int(limit), hard))

async def main():
    with setup_session(engine=engine), requests.Session() as session:
        for url in urls:
            await asyncio.gather(*(run(session.get, url) for _ in range(int(at_once))))

asyncio.run(main())
print("done")
"""


# libcurl closes none of those that it keeps for another host, but keeps no more than a quarter.
@pytest.mark.parametrize(
    ("engine", "at_once", "limit"), [("sockets", 40, 64), ("curl", 90, 256)]
)
async def test_a_few_descriptors_are_enough_for_many_hosts(
    engine: str, at_once: int, limit: int, tmp_path: Path
) -> None:
    """All connections to all hosts together would be more than the process may have."""
    pytest.importorskip("resource")
    script = tmp_path / "many.py"
    script.write_text(MANY)
    async with patient(at_once) as one, patient(at_once) as two, patient(at_once) as three:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(script),
            engine,
            str(at_once),
            str(limit),
            *(f"http://127.0.0.1:{server.port}/" for server in (one, two, three)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await child.communicate()
    assert said.decode().strip() == "done"


def test_curl_has_nothing_to_say_of_a_loop_that_has_ended(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("pycurl")

    class Page(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.wfile.write(HI)

        def log_message(self, *_: Any) -> None:
            pass

    async def ask() -> None:
        await tornalet.run(session.get, f"https://127.0.0.1:{port}/", verify=str(ca))

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(ca := tmp_path / "ca.pem")
    with (
        serving_apart(Page, context) as port,
        requests.Session() as session,
        setup_session(session, engine="curl"),
    ):
        # The second loop closes what is left of the first one.
        asyncio.run(ask())
        asyncio.run(ask())
    assert capfd.readouterr().err == ""


@engines("sockets", "simple", "curl")
async def test_an_adapter_says_what_it_does(engine: str) -> None:
    def said() -> str:
        return repr(session.get_adapter("http://127.0.0.1/")).partition(", ")[2]

    session = requests.Session()
    with setup_session(session, engine=engine):
        assert said() == f'engine "{engine}": pools: 0, places in use: 0, connections kept: 0>'
        async with patient(2) as server:
            url = f"http://127.0.0.1:{server.port}/"
            first = asyncio.create_task(tornalet.run(session.get, url))
            await until(lambda: len(server.talks) == 1)
            assert said().endswith("pools: 1, places in use: 1, connections kept: 0>")
            await tornalet.run(session.get, url)
            await first
        kept = 2 if engine == "sockets" else 0
        assert said().endswith(f"pools: 1, places in use: 0, connections kept: {kept}>")
        adapter = session.get_adapter(url)
    assert "undone: it does what requests does" in repr(adapter)
