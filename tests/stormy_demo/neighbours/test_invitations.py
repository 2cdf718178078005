"""A message is sent, is not sent, or nobody knows; whatever a mail server does, it is said."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import UTC
from email import message_from_bytes, policy
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from loopfilm import LOCALHOST, running
from stormy_demo.program import main
from tests import quick_start
from tests.bad_clients import Visit, http_requests, serving, talk, visits
from tests.paths import ROOT

pytest.importorskip("aiosmtplib", reason="aiosmtplib is not installed")
pytest.importorskip("aiosmtpd", reason="aiosmtpd is not installed")

from stormy_demo.neighbours import invitations
from stormy_demo.neighbours.counterparts.mail_server import Mail, MailServer, mail_server
from stormy_demo.neighbours.delivery import deliver, invitation

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_thread_left"),
]

# Seconds that no machine is too busy for.
LONG = 500.0

T = TypeVar("T")

NUMBER = "0123456789abcdef0123456789abcdef"
GOOD = [("to", "grace@example.org"), ("name", "Ada"), ("text", "Tea at four?")]


ADDRESSES = st.lists(
    st.emails().filter(invitations.ADDRESS.fullmatch), min_size=1, max_size=3, unique=True
)
LETTERS = st.characters(exclude_categories=["Cs"])


ENCODED = st.sampled_from(
    [
        "=?utf-8?q?a=0ABcc:_x@example.org?=",
        "=?utf-8?b?YQ0KDQpi?=",
        "=?utf-8?q?Ada?=",
        "=?",
        "?=",
    ]
)
NAMES = st.lists(st.text(LETTERS, max_size=20) | ENCODED, max_size=3).map("".join)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a mail server take less time over a message to slow@."""
    monkeypatch.setattr(f"{MailServer.__module__}.SECONDS", 0.05)


@pytest.fixture
def no_thread_left() -> Any:
    """Fail a test after which more threads are there than before."""
    before = set(threading.enumerate())
    yield
    assert not set(threading.enumerate()) - before


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something is true; a test that waits in vain runs out of time."""
    while not condition():
        await asyncio.sleep(0.001)


def form(*names: str, **other: str) -> list[tuple[str, str]]:
    """Fill in the form for some addresses, and change other fields."""
    to = [("to", f"{name}@example.org") for name in names] or GOOD[:1]
    return (
        to + [(field, other.pop(field, value)) for field, value in GOOD[1:]] + [*other.items()]
    )


async def patiently(
    attempt: Callable[[float], Awaitable[T]], got_there: Callable[[], object]
) -> T:
    """Give a silent server more and more seconds, until one attempt has got to the silence."""
    patience = 0.05
    while True:
        outcome = await attempt(patience)
        if got_there():
            return outcome
        patience *= 2


async def post(url: str, fields: list[tuple[str, str]], **headers: str) -> HTTPResponse:
    client = AsyncHTTPClient(force_instance=True, defaults={"request_timeout": LONG})
    try:
        return await client.fetch(
            f"{url}/invitations",
            method="POST",
            body=urlencode(fields),
            headers=headers,
            raise_error=False,
        )
    finally:
        client.close()


async def said(url: str, fields: list[tuple[str, str]]) -> tuple[int, Any]:
    response = await post(url, fields)
    return response.code, json.loads(response.body)


class TestInvitation:
    async def test_is_with_the_mail_server_when_ada_is_told_so(self) -> None:
        with mail_server() as mail:
            async with running(invitations.make_app(f"{mail.host}:{mail.port}")) as url:
                status, told = await said(url, form("grace", "alan", number=NUMBER))
        assert status == 200
        assert told == {"sent": "yes", "refused": {}, "number": NUMBER}
        [kept] = mail.kept
        assert kept.to == ("grace@example.org", "alan@example.org")
        assert kept.id == f"<{NUMBER}@stormy.example>"
        message = message_from_bytes(kept.content, policy=policy.default)
        assert message["Subject"] == "Ada invites you"
        assert message.get_content().splitlines() == ["Tea at four?"]

    async def test_keeps_letters_lines_and_dots_of_whatever_kind(self) -> None:
        text = "Dvořák?\n.\n..\n" + "x" * 1500 + "\nQUIT"
        with mail_server() as mail:
            async with running(invitations.make_app(f"{mail.host}:{mail.port}")) as url:
                assert (await said(url, form(name="Žofia", text=text)))[0] == 200
        message = message_from_bytes(mail.kept[0].content, policy=policy.default)
        assert message["Subject"] == "Žofia invites you"
        assert message.get_content().splitlines() == text.split("\n")

    @pytest.mark.parametrize(
        ("name", "status", "sent", "words"),
        [
            ("slow", 200, "yes", ""),
            ("nobody", 422, "no", "will not"),
            ("full", 503, "no", "later"),
            ("mute", 504, "no", "in time"),
            ("late", 504, "unknown", "Perhaps"),
        ],
    )
    @pytest.mark.usefixtures("quick")
    async def test_is_sent_or_not_or_nobody_knows(
        self, name: str, status: int, sent: str, words: str
    ) -> None:
        heard: list[str] = []
        with mail_server(heard.append) as mail:

            async def attempt(patience: float) -> HTTPResponse:
                app = invitations.make_app(f"{mail.host}:{mail.port}", patience)
                async with running(app) as url:
                    return await post(url, form(name))

            if status == 504:
                response = await patiently(attempt, lambda: heard and heard[-1].endswith("..."))
            else:
                response = await attempt(LONG)
        told = json.loads(response.body)
        assert (response.code, told["sent"]) == (status, sent)
        assert words in told.get("error", "")
        assert ("Retry-After" in response.headers) == (status == 503)
        # An attempt that was too late for the answer may have come before.
        assert bool(mail.kept) == (sent != "no")

    async def test_for_several_names_those_who_were_refused(self) -> None:
        with mail_server() as mail:
            async with running(invitations.make_app(f"{mail.host}:{mail.port}")) as url:
                status, told = await said(url, form("grace", "nobody", "full"))
        assert (status, told["sent"]) == (200, "yes")
        assert {to: code[:3] for to, code in told["refused"].items()} == {
            "nobody@example.org": "550",
            "full@example.org": "452",
        }
        assert [kept.to for kept in mail.kept] == [("grace@example.org",)]

    async def test_that_all_refuse_is_for_later_if_one_may_take_it_then(self) -> None:
        async with running(invitations.make_app()) as url:
            assert (await said(url, form("nobody", "full")))[0] == 503

    async def test_may_come_twice_and_then_it_has_the_same_message_id(self) -> None:
        page = ""
        async with running(invitations.make_app(patience=0.1)) as url:
            while not re.search(r"For late@example\.org: ([2-9]|\d\d+) ×", page):
                _, told = await said(url, form("late", text="<b>Tea</b>", number=NUMBER))
                assert told["number"] == NUMBER
                page = (await AsyncHTTPClient().fetch(url)).body.decode()
        assert page.count(NUMBER) == 1
        assert "&lt;b&gt;Tea&lt;/b&gt;" in page
        assert "<b>" not in page

    async def test_has_a_number_of_its_own_if_none_was_given(self) -> None:
        async with running(invitations.make_app()) as url:
            numbers = [(await said(url, form()))[1]["number"] for _ in range(2)]
        assert all(re.fullmatch("[0-9a-f]{32}", number) for number in numbers)
        assert len(set(numbers)) == 2

    @pytest.mark.usefixtures("quick")
    async def test_is_sent_also_if_ada_leaves(self) -> None:
        heard: list[str] = []
        with mail_server(heard.append) as mail:
            async with running(invitations.make_app(f"{mail.host}:{mail.port}")) as url:
                connection = request(url, form("slow"))
                await until(lambda: heard)
                connection.close()
                await until(lambda: heard[-1].startswith("QUIT"))
        assert len(mail.kept) == 1

    async def test_is_refused_when_too_many_are_sent_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(invitations, "MOST_AT_ONCE", 3)
        heard: list[str] = []
        with mail_server(heard.append) as mail:
            app = invitations.make_app(f"{mail.host}:{mail.port}", LONG)
            async with running(app) as url:
                with ExitStack() as others:
                    for _ in range(invitations.MOST_AT_ONCE):
                        others.enter_context(request(url, form("mute")))
                    await until(lambda: str(heard).count("RCPT") == invitations.MOST_AT_ONCE)
                    response = await post(url, form())
        assert response.code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert json.loads(response.body)["sent"] == "no"
        assert not mail.kept

    async def test_makes_room_for_the_next_one_whatever_became_of_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(invitations, "MOST_AT_ONCE", 1)
        async with running(invitations.make_app()) as url:
            statuses = [
                (await said(url, form(name)))[0] for name in ["nobody", "grace", "alan"]
            ]
        assert statuses == [422, 200, 200]

    async def test_that_is_refused_at_length_is_told_in_short(self) -> None:
        async with (
            scripted({"RCPT": "550 " + "no" * 400}) as (place, _),
            running(invitations.make_app(place)) as url,
        ):
            told = (await said(url, form()))[1]
        assert told["refused"] == {"grace@example.org": "550 " + "no" * 100}

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ([], "to must be given"),
            (form(*["grace"] * 2, *[f"g{n}" for n in range(10)]), "to must be given"),
            (form(name=""), "name"),
            (form(text=" "), "text"),
            (form(name="A" * 61), "name"),
            (form(text="A" * 2001), "text"),
            ([*form(), ("name", "Alan")], "name must be given once"),
            (form(number="1"), "number"),
            (form(number=f"{NUMBER}\n.".upper()), "number"),
            (form(name="Ada\nBcc: everybody@example.org"), "cannot be sent"),
            (form(name="Ada\r\n\r\nMy own text"), "cannot be sent"),
            (form(name="Ada\x85Bcc: everybody@example.org"), "cannot be sent"),
            (form(name="=?utf-8?q?a=0ABcc:_everybody@example.org?="), "cannot be sent"),
            (form(name="Ada =?utf-8?b?YQ0KDQpNeSBvd24gdGV4dA==?="), "cannot be sent"),
            (form(name="=?utf-8?q?Grace?="), "cannot be sent"),
            (form("=?utf-8?q?x?="), "cannot be sent"),
            (form("a\nBcc: everybody"), "address"),
            (form("a> SIZE=9\r\nRCPT TO:<b"), "address"),
            (form("a, b@example.org, c"), "address"),
            (form("a <b"), "address"),
            (form('"a b"'), "address"),
            (form("a" * 300), "address"),
            (form("a..b"), "address"),
            ([("to", "a@."), *GOOD[1:]], "address"),
            ([("to", "grace"), *GOOD[1:]], "address"),
            ([("to", "grace@a@b"), *GOOD[1:]], "address"),
        ],
    )
    async def test_that_is_none_is_refused_in_a_sentence(
        self, fields: list[tuple[str, str]], words: str
    ) -> None:
        heard: list[str] = []
        with mail_server(heard.append) as mail:
            async with running(invitations.make_app(f"{mail.host}:{mail.port}")) as url:
                status, told = await said(url, fields)
        assert status == 400
        assert words in told["error"]
        assert not heard

    def test_has_the_headers_that_it_should_have_and_no_others(self) -> None:
        headers = {"From", "To", "Subject", "Date", "Message-ID"}
        headers |= {"MIME-Version", "Content-Type", "Content-Transfer-Encoding"}
        with mail_server(utf8=True) as mail:

            @given(to=ADDRESSES, name=NAMES, text=st.text(LETTERS))
            @settings(max_examples=20)
            def test(to: list[str], name: str, text: str) -> None:
                try:
                    message = invitation(to, name, text, NUMBER)
                except ValueError:
                    return
                outcome = asyncio.run(deliver(message, mail.host, mail.port, LONG))
                assert outcome.error is None
                if outcome.sent == "yes":
                    kept = mail.kept[-1]
                    assert {*kept.to} | {*outcome.refused} == {*to}
                    found = message_from_bytes(kept.content).keys()
                    assert sorted(found) == sorted(headers)

            test()

    def test_has_the_date_of_now(self) -> None:
        before = int(time.time())
        message = invitation(["grace@example.org"], "Ada", "Tea?", NUMBER)
        written = message["Date"].datetime.replace(tzinfo=UTC).timestamp()
        assert before <= written <= time.time()

    async def test_from_a_page_of_another_site_is_refused(self) -> None:
        async with running(invitations.make_app()) as url:
            response = await post(url, form(), **{"Sec-Fetch-Site": "cross-site"})
        assert response.code == 403

    def test_of_any_kind_gets_no_5xx_and_keeps_nobody_out(self) -> None:
        with serving(lambda: running(invitations.make_app())) as server:

            @given(
                visits(http_requests(["/", "/invitations"], ["to", "name", "text", "number"]))
            )
            def test(visit: Visit) -> None:
                server.survives(visit, "/")

            test()


class TestPage:
    async def test_has_the_newest_first_and_what_came_again_once(self) -> None:
        app = invitations.make_app()
        async with running(app) as url:
            server = app.settings["started"]
            mails = [("old", "1"), ("again", "2"), ("none", ""), ("none", ""), ("again", "2")]
            server.kept = tuple(Mail((name,), number, b"") for name, number in mails)
            page = (await AsyncHTTPClient().fetch(url)).body.decode()
        found = re.findall("For (.*) ×", page)
        assert found == ["again: 2", "none: 1", "none: 1", "old: 1"]

    async def test_has_a_number_of_its_own_each_time(self) -> None:
        async with running(invitations.make_app()) as url:
            pages = [await AsyncHTTPClient().fetch(url) for _ in range(2)]
        numbers = [re.findall("[0-9a-f]{32}", page.body.decode()) for page in pages]
        assert len({*numbers[0], *numbers[1]}) == 2
        assert {page.headers["Cache-Control"] for page in pages} == {"no-store"}


SILENCE, END = None, ""
Answers = Mapping[str, str | None]


@asynccontextmanager
async def scripted(
    answers: Answers, seconds: float = 0
) -> AsyncIterator[tuple[str, list[str]]]:
    """Run a mail server that answers commands as it is told.

    Args:
        answers: by command, or "hello", or "." for the message; SILENCE says nothing any more,
            END hangs up. What is not there is answered as it should be.
        seconds: how long it thinks before each answer.

    Yields:
        Its place, and the commands that it has got.
    """
    heard: list[str] = []
    good = {"hello": "220 here", "DATA": "354 go on", "QUIT": "221 bye"}

    conversations = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.append(asyncio.current_task())
        command = "hello"
        try:
            while True:
                heard.append(command)
                await asyncio.sleep(seconds)
                answer = answers.get(command, good.get(command, "250 yes"))
                if answer is SILENCE:
                    await reader.read()
                    return
                if answer == END:
                    return
                writer.write(f"{answer}\r\n".encode())
                until_dot = command == "DATA" and answer.startswith("354")
                line = await reader.readuntil(b"\r\n.\r\n" if until_dot else b"\r\n")
                command = "." if until_dot else line.split()[0].decode()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, LOCALHOST, 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}", heard
        # A slow one finds out later that nobody listens.
        await until(lambda: all(task and task.done() for task in conversations))


MADE_NO_SENSE = (502, "no")
UNKNOWN = (504, "unknown")


class TestMailServerThat:
    @pytest.mark.parametrize(
        ("answers", "expected"),
        [
            ({"hello": END}, MADE_NO_SENSE),
            ({"hello": "come in"}, MADE_NO_SENSE),
            ({"hello": "220-" + "x" * 100_000}, MADE_NO_SENSE),
            ({"hello": "999 here"}, MADE_NO_SENSE),
            ({"hello": "554 go away"}, (422, "no")),
            ({"hello": "421 too many"}, (503, "no")),
            ({"EHLO": END}, MADE_NO_SENSE),
            ({"EHLO": "502 what?"}, (200, "yes")),
            ({"EHLO": "502 what?", "HELO": "502 what?"}, (422, "no")),
            ({"MAIL": "550 not from you"}, (422, "no")),
            ({"MAIL": END}, MADE_NO_SENSE),
            ({"RCPT": END}, MADE_NO_SENSE),
            ({"RCPT": "nonsense"}, MADE_NO_SENSE),
            ({"DATA": "554 not today"}, (422, "no")),
            ({".": "554 spam"}, (422, "no")),
            ({".": "451 come again"}, (503, "no")),
            ({".": "554 spam", "RSET": END}, (422, "no")),
            ({"DATA": END}, UNKNOWN),
            ({".": END}, UNKNOWN),
            ({".": "well"}, UNKNOWN),
            ({".": "299 well"}, UNKNOWN),
            ({".": "y" * 100_000}, UNKNOWN),
            ({"QUIT": END}, (200, "yes")),
            ({"QUIT": "500 no"}, (200, "yes")),
        ],
    )
    async def test_does_this_gets_that_answer_to_ada(
        self, answers: Answers, expected: tuple[int, str]
    ) -> None:
        async with scripted(answers) as (place, _):
            assert await self.answer(place, LONG) == expected

    @pytest.mark.parametrize(
        ("step", "expected"),
        [
            ("hello", (504, "no")),
            ("EHLO", (504, "no")),
            ("MAIL", (504, "no")),
            ("RCPT", (504, "no")),
            (".", UNKNOWN),
            ("QUIT", (200, "yes")),
        ],
    )
    async def test_is_silent_at_this_step_gets_that_answer_to_ada(
        self, step: str, expected: tuple[int, str]
    ) -> None:
        async with scripted({step: SILENCE}) as (place, heard):
            found = await patiently(partial(self.answer, place), lambda: step in heard)
        assert found == expected

    @pytest.mark.parametrize("step", ["RCPT", "DATA", "."])
    async def test_refuses_and_is_silent_then_gets_the_refusal_to_ada(self, step: str) -> None:
        answers = {step: "550 no", "RSET": SILENCE, "QUIT": SILENCE}
        async with scripted(answers) as (place, heard):
            found = await patiently(partial(self.answer, place), lambda: step in heard)
        assert found == (422, "no")

    async def test_is_slow_at_each_step_has_so_much_patience_for_all_of_them(self) -> None:
        async with scripted({}, seconds=0.06) as (place, heard):
            assert await self.answer(place, patience=0.1) == (504, "no")
        assert "DATA" not in heard

    async def answer(self, place: str, patience: float) -> tuple[int, str]:
        async with running(invitations.make_app(place, patience)) as url:
            status, told = await said(url, form())
        assert bool(told.get("error")) == (status != 200)
        return status, told["sent"]

    async def test_is_not_there_is_a_502(self) -> None:
        with socket.create_server((LOCALHOST, 0)) as listener:
            port = listener.getsockname()[1]
        async with running(invitations.make_app(f"{LOCALHOST}:{port}")) as url:
            status, told = await said(url, form())
        assert (status, told["sent"]) == MADE_NO_SENSE

    async def test_says_nothing_does_not_keep_who_is_cancelled(self) -> None:
        async with scripted({".": SILENCE}) as (place, heard):
            message = invitation(["grace@example.org"], "Ada", "Tea?", "1")
            delivery = deliver(message, *invitations.as_place(place), LONG)
            task = asyncio.create_task(delivery)
            await until(lambda: "." in heard)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    @pytest.mark.parametrize("utf8", [False, True])
    async def test_has_no_other_letters_refuses_such_an_address(self, utf8: bool) -> None:
        with mail_server(utf8=utf8) as mail:
            async with running(invitations.make_app(f"{mail.host}:{mail.port}")) as url:
                status, told = await said(url, form("žofia"))
        assert (status, told["sent"]) == ((200, "yes") if utf8 else (422, "no"))
        assert [kept.to for kept in mail.kept] == [("žofia@example.org",)] * utf8

    async def test_takes_so_many_bytes_refuses_more(self) -> None:
        with mail_server(largest=1000) as mail:
            async with running(invitations.make_app(f"{mail.host}:{mail.port}")) as url:
                assert (await said(url, form()))[0] == 200
                assert (await said(url, form(text="x" * 1000)))[0] == 422
        assert len(mail.kept) == 1

    async def test_is_on_this_machine_needs_no_name_of_this_machine(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def ask_the_network(*_: object) -> str:
            raise AssertionError

        monkeypatch.setattr(socket, "getfqdn", ask_the_network)
        async with running(invitations.make_app()) as url:
            assert (await said(url, form()))[0] == 200


COMMANDS = [
    b"EHLO here\r\n",
    b"HELO\r\n",
    b"MAIL FROM:<a@b>\r\n",
    b"MAIL FROM:<a@b> SIZE=9999999\r\n",
    b"RCPT TO:<grace@example.org>\r\n",
    b"RCPT TO:<mute@example.org>\r\n",
    b"RCPT TO:<\xff>\r\n",
    b"DATA\r\n",
    b"Message-ID: \xff\r\n\r\nhello\r\n.\r\n",
    b".\r\n",
    b"RSET\r\n",
    b"STARTTLS\r\n",
    b"AUTH PLAIN AA==\r\n",
    b"x" * 2000,
    b"\x00\r\n",
    b"QUIT\r\n",
]


class TestKeeper:
    def test_survives_any_client(self) -> None:
        message = invitation(["grace@example.org"], "Ada", "Tea?", "good")
        with mail_server() as mail:

            @given(visits(st.lists(st.sampled_from(COMMANDS), max_size=8).map(b"".join)))
            def test(visit: Visit) -> None:
                talk(f"{mail.host}:{mail.port}", visit)
                outcome = asyncio.run(deliver(message, mail.host, mail.port, LONG))
                assert outcome == ("yes", {}, None)
                assert mail.kept[-1].id == "<good@stormy.example>"

            test()

    async def test_forgets_the_oldest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(f"{MailServer.__module__}.MOST_KEPT", 2)
        with mail_server() as mail:
            for number in "123":
                message = invitation(["grace@example.org"], "Ada", "Tea?", number)
                await deliver(message, mail.host, mail.port, LONG)
        assert [kept.id[1] for kept in mail.kept] == ["2", "3"]

    async def test_ends_with_somebody_who_has_just_come(self) -> None:
        for _ in range(5):
            with mail_server() as mail:
                visitor = socket.create_connection((mail.host, mail.port))
            with visitor, suppress(ConnectionError):
                visitor.settimeout(10)
                while visitor.recv(1000):
                    pass

    async def test_ends_with_somebody_in_the_middle(
        self, open_descriptors: Callable[[], int]
    ) -> None:
        before = open_descriptors()
        with mail_server() as mail:
            reader, writer = await asyncio.open_connection(mail.host, mail.port)
            await reader.readline()
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        assert open_descriptors() == before


def request(url: str, fields: list[tuple[str, str]]) -> socket.socket:
    """Send an invitation, and do not wait for the answer."""
    place, body = urlsplit(url), urlencode(fields)
    connection = socket.create_connection((str(place.hostname), int(place.port or 0)))
    connection.settimeout(LONG)
    head = (
        "POST /invitations HTTP/1.1\r\nHost: here\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall((head + body).encode())
    return connection


class TestProgram:
    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
    async def test_ends_although_the_mail_server_is_silent(self) -> None:
        command = [sys.executable, "-m", "stormy_demo.neighbours.invitations", "--port=0"]
        with (
            mail_server() as mail,
            quick_start.Popen(
                [*command, f"--mail-server={mail.host}:{mail.port}", "--patience=500"],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as program,
        ):
            try:
                assert program.stdout
                url = program.stdout.readline().split()[2]
                connection = request(url, form("late"))
                await until(lambda: mail.kept)
                # The mail is here while the program may still be in the call that sends it. An
                # answer says that it is back on its loop.
                await AsyncHTTPClient().fetch(url)
                program.send_signal(signal.SIGINT)
                with connection:
                    assert connection.recv(1000).startswith(b"HTTP/1.1 503 ")
                out, err = program.communicate(timeout=LONG)
            finally:
                program.kill()
        assert (program.returncode, out) == (0, "stopped\n"), err
        lines = [line.split(" (")[0] for line in err.splitlines()]
        assert len(lines) == 2, err
        assert " 200 GET /" in lines[0]
        assert " 503 POST /invitations" in lines[1]

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
    async def test_ends_with_its_own_mail_server(self) -> None:
        command = [sys.executable, "-m", "stormy_demo.neighbours.invitations", "--port=0"]
        with quick_start.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program:
            try:
                assert program.stdout
                url = program.stdout.readline().split()[2]
                assert (await said(url, form()))[0] == 200
                program.send_signal(signal.SIGTERM)
                out, err = program.communicate(timeout=LONG)
            finally:
                program.kill()
        assert (program.returncode, out) == (0, "stopped\n"), err
        assert [line for line in err.splitlines() if " 200 " not in line] == []

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ("--patience=0", "patience"),
            ("--patience=nan", "patience"),
            ("--mail-server=25", "127.0.0.1:25"),
            ("--mail-server=here:many", "127.0.0.1:25"),
            ("--mail-server=here:0", "1 65535"),
            ("--mail-server=here:99999", "1 65535"),
            ("--mail-server=a b:25", "127.0.0.1:25"),
            (f"--mail-server={70 * 'a'}:25", "name host"),
            ("--mail-server=a..b:25", "name host"),
        ],
    )
    def test_refuses_an_option_in_one_sentence(
        self, option: str, words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # Whoever takes the option ends at a port that is taken.
        with socket.create_server((LOCALHOST, 0)) as taken:
            port = f"--port={taken.getsockname()[1]}"
            assert main(invitations.make_app, ["", "--logging=none", port, option]) == 2
        out, err = capsys.readouterr()
        assert len(err.splitlines()) == 1
        for word in words.split():
            assert word in err
        assert out == ""
