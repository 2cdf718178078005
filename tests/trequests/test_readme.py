"""The examples of the README, each run as it stands there."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from authlib.integrations.requests_client import OAuth1Auth
from authlib.oauth1.rfc5849.signature import (
    generate_signature_base_string,
    hmac_sha1_signature,
)
from authlib.oauth1.rfc5849.wrapper import OAuth1Request
from requests.utils import parse_dict_header
from tornado import netutil
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from loopfilm import running
from tests.paths import ROOT
from tornalet import run
from trequests import must_wait, setup_session

from .test_clients import SOCKSProxy, Trust, at_tls, engines, needs_curl, serving, trust

__all__ = ["needs_curl", "trust"]  # fixtures

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

README = (ROOT / "trequests" / "README.md").read_text(encoding="utf-8")
AFTER_THE_FIRST = README[README.index("## See that it works") :]
CODE = "\n".join(
    re.findall(r"^```python\n(.*?)^```$", AFTER_THE_FIRST, re.DOTALL | re.MULTILINE)
)


def examples() -> dict[str, Any]:
    names: dict[str, Any] = {
        "OAuth1Auth": OAuth1Auth,
        "must_wait": must_wait,
        "requests": requests,
        "socket": socket,
        "urllib3": urllib3,
    }
    exec(CODE, names)
    return names


class Digest(RequestHandler):
    def get(self) -> None:
        given = parse_dict_header(self.request.headers.get("Authorization", "")[7:])
        if not given:
            self.set_status(401)
            self.set_header("WWW-Authenticate", 'Digest realm="door", nonce="n", qop="auth"')
            return
        secret, request = md5("ada", "door", "secret"), md5("GET", self.request.uri or "")
        right = md5(secret, "n", given["nc"], given["cnonce"], "auth", request)
        self.write(str(given["response"] == right))


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


class OAuth1(RequestHandler):
    def get(self) -> None:
        headers = {"Authorization": self.request.headers["Authorization"]}
        signed = OAuth1Request("GET", self.request.full_url(), headers=headers)
        text = generate_signature_base_string(signed)
        right = hmac_sha1_signature(text, "our secret", "ada's secret")
        self.write(str(signed.signature == right))


class Echo(RequestHandler):
    def get(self) -> None:
        self.write(b"piece" * 100_000)

    def post(self) -> None:
        self.write(self.request.body)


APP = [("/digest", Digest), ("/oauth1", OAuth1), ("/echo", Echo)]


@engines("sockets", "simple", "curl")
async def test_each_example_does_what_it_says(
    engine: str, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trust.folder)
    example = examples()

    async def text(name: str, *args: Any) -> str:
        answer: requests.Response = await run(example[name], *args)
        return answer.text

    with setup_session(engine=engine):
        async with running(Application(APP)) as url:
            assert await text("digest", f"{url}/digest") == "True"
            assert await text("oauth1", f"{url}/oauth1") == "True"
            assert await text("upload", f"{url}/echo", iter([b"one", b"two"])) == "onetwo"
            file = io.BytesIO()
            await run(example["download"], f"{url}/echo", file)
            assert file.getvalue() == b"piece" * 100_000
        async with at_tls(trust.server("127.0.0.1")) as url:
            assert await text("own_authority", url) == "hi"
        async with at_tls(trust.server("127.0.0.1", client=True)) as url:
            assert await text("client_certificate", url) == "hi"
        proxy = SOCKSProxy()
        async with running(Application(APP)) as url, serving(proxy) as server:
            through = f"socks5h://127.0.0.1:{server.port}"
            port = url.rpartition(":")[2]
            assert await text("through_socks", f"http://localhost:{port}/echo", through)
            assert proxy.hosts == [b"localhost"]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no unix sockets")
@engines("sockets", "simple", "curl")
async def test_the_example_with_a_unix_socket(engine: str, tmp_path: Path) -> None:
    # The path of such a socket is short.
    path = os.path.relpath(tmp_path / "s")
    server = HTTPServer(Application([("/", Echo)]))
    server.add_socket(netutil.bind_unix_socket(path))
    try:
        with setup_session(engine=engine):
            answer = await run(examples()["unix_socket"], path)
    finally:
        server.stop()
    assert answer.content == b"piece" * 100_000


async def test_what_an_adapter_says_is_as_in_the_readme(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = requests.Session()
    with setup_session(session):
        examples()["look"](session)
    assert f"```\n{capsys.readouterr().out}```\n" in README


async def test_must_wait_finds_who_still_blocks() -> None:
    holds: Callable[[Callable[[], Awaitable[Any]]], Awaitable[None]]
    holds = examples()["no_request_holds_the_loop"]

    async def waits() -> None:
        answer = await run(requests.get, f"{url}/echo")
        assert answer.status_code == 200

    async def blocks() -> None:
        requests.get("http://127.0.0.1:1/")

    async with running(Application(APP)) as url:
        with setup_session(outside="block"):
            await holds(waits)
            with pytest.raises(RuntimeError, match="blocks the event loop"):
                await holds(blocks)
            task = asyncio.create_task(blocks())
            # It ends with its block.
            with pytest.raises(requests.ConnectionError):
                await task
