"""A TLS context is made once for connections that ask for the same, and is theirs alone."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3 import connection
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util import ssl_

import tornalet
from trequests import setup_session

from .test_clients import Trust, at_tls


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """The contexts of the sockets that were made."""
    found = []
    wrapped = ssl.SSLSocket._create.__func__  # type: ignore[attr-defined]

    def create(kind: Any, *args: Any, **options: Any) -> Any:
        if not options.get("server_side"):
            found.append(options["context"])
        return wrapped(kind, *args, **options)

    monkeypatch.setattr(ssl.SSLSocket, "_create", classmethod(create))
    return found


async def asked(url: str, verify: str | bool) -> str:
    with setup_session():
        return (await tornalet.run(requests.get, url, verify=verify)).text


async def test_sessions_share_one(trust: Trust, made: list[ssl.SSLContext]) -> None:
    async with at_tls(trust.server("127.0.0.1")) as url:
        for _ in range(3):
            assert await asked(url, trust.path("ca.pem")) == "hi"
    assert len(made) == 3
    assert len(set(made)) == 1


async def test_those_that_trust_something_else_do_not(
    trust: Trust, made: list[ssl.SSLContext]
) -> None:
    async with at_tls(trust.server("127.0.0.1")) as url:
        assert await asked(url, trust.path("ca.pem")) == "hi"
        with pytest.raises(requests.exceptions.SSLError):
            await asked(url, trust.path("other.pem"))
        with pytest.warns(InsecureRequestWarning):
            assert await asked(url, False) == "hi"
    assert len(set(made)) == 3
    assert [each.verify_mode for each in made] == [
        ssl.CERT_REQUIRED,
        ssl.CERT_REQUIRED,
        ssl.CERT_NONE,
    ]


async def test_a_file_that_has_changed_is_read_again(trust: Trust) -> None:
    file = Path(trust.path("ca.pem"))
    async with at_tls(trust.server("127.0.0.1")) as url:
        assert await asked(url, str(file)) == "hi"
        file.write_bytes(Path(trust.path("other.pem")).read_bytes())
        with pytest.raises(requests.exceptions.SSLError):
            await asked(url, str(file))


async def test_what_somebody_does_to_one_stays_with_its_connection(
    trust: Trust, made: list[ssl.SSLContext]
) -> None:
    async with at_tls(trust.server("127.0.0.1")) as url:
        await asked(url, trust.path("ca.pem"))
        made[0].load_verify_locations(trust.path("other.pem"))
        await asked(url, trust.path("ca.pem"))
        made[1].check_hostname = False
        await asked(url, trust.path("ca.pem"))
    assert len(set(made)) == 3
    assert made[2].check_hostname


async def test_whoever_has_replaced_what_makes_them_is_called_for_each(
    trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    stock = connection.create_urllib3_context  # type: ignore[attr-defined]

    def make(*args: Any, **options: Any) -> Any:
        calls.append(1)
        return stock(*args, **options)

    monkeypatch.setattr(connection, "create_urllib3_context", make)
    async with at_tls(trust.server("127.0.0.1")) as url:
        for _ in range(2):
            await asked(url, trust.path("ca.pem"))
    assert len(calls) == 2


def forbid_the_newest(patch: pytest.MonkeyPatch) -> None:
    options = ssl_.OP_NO_COMPRESSION | ssl.OP_NO_TLSv1_3
    patch.setattr(ssl_, "OP_NO_COMPRESSION", options)


def make_them_old(patch: pytest.MonkeyPatch) -> None:
    def begin(context: ssl.SSLContext, *args: Any) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    patch.setattr(ssl.SSLContext, "__init__", begin, raising=False)


def choose_the_version(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(connection, "resolve_ssl_version", lambda _: ssl.PROTOCOL_TLSv1_2)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("change", [forbid_the_newest, make_them_old, choose_the_version])
async def test_what_they_are_made_from_counts_as_long_as_it_is_so(
    trust: Trust, change: Callable[[pytest.MonkeyPatch], None]
) -> None:
    def version() -> str:
        with requests.get(url, verify=trust.path("ca.pem"), stream=True) as answer:
            return str(answer.raw.connection.sock.version())

    async with at_tls(trust.server("127.0.0.1")) as url:
        with setup_session():
            before = await tornalet.run(version)
            with pytest.MonkeyPatch.context() as patch:
                change(patch)
                meanwhile = await tornalet.run(version)
            after = await tornalet.run(version)
    assert (before, meanwhile, after) == ("TLSv1.3", "TLSv1.2", "TLSv1.3")
