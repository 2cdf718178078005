"""A mail server that keeps what it gets, and does as the address says.

It is aiosmtpd, on a loop and in a thread of its own: on the loop of a client that blocks, it
could never answer. aiosmtpd's `Controller` makes such a thread too, but the system cannot pick
the port for it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from typing import NamedTuple
from weakref import WeakSet

from loopfilm import LOCALHOST
from loopfilm.own_loop import OwnLoop

try:
    # It imports a name that Python 3.15 warns of, which is no business of ours.
    with warnings.catch_warnings(record=True):
        from aiosmtpd.smtp import SMTP, Envelope, Session
except ImportError as error:
    raise ImportError(
        f"Mail needs aiosmtpd, and cannot import {error.name}: pip install aiosmtpd",
        name=error.name,
    ) from error

# What it says when it hears an address that begins so. A 5 is for good, a 4 for now.
REFUSED = {
    "nobody": "550 5.1.1 There is nobody of that name",
    "full": "452 4.2.2 The mailbox is full",
}
MUTE = "mute"  # it hears that, and says nothing any more
LATE = "late"  # it takes the message, and does not say so
SLOW = "slow"  # it takes the message, and says so after a while
SECONDS = 0.3  # that while

MOST_KEPT = 100  # older ones are forgotten
TURNS = 10  # more than it takes

# It tells of each line, and of each that it does not know with a warning.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class Mail(NamedTuple):
    """A message that was taken.

    Attributes:
        to: for whom, as they were named before the message.
        id: its Message-ID, or "" if there is none.
        content: all of it, as it came.
    """

    to: tuple[str, ...]
    id: str
    content: bytes


class MailServer:
    """Keeps messages, in memory; aiosmtpd calls a method of it for each command.

    Attributes:
        host, port: where it listens.
        kept: what it has taken last, the newest at the end. Another thread may read it.
    """

    def __init__(self, host: str, port: int, heard: Callable[[str], object]) -> None:
        """Begin without any."""
        self.host, self.port = host, port
        self.kept: tuple[Mail, ...] = ()
        self._heard = heard

    async def handle_EHLO(
        self, _: SMTP, session: Session, __: Envelope, name: str, abilities: list[str]
    ) -> list[str]:
        """Greet somebody, and say what can be done here."""
        session.host_name = name
        self._answer(f"EHLO {name}", "250")
        return abilities

    async def handle_MAIL(
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Hear from whom the message will be."""
        envelope.mail_from = address
        return self._answer(f"MAIL FROM:<{address}>", "250 OK")

    async def handle_RCPT(
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Hear for whom the message will be."""
        command, name = f"RCPT TO:<{address}>", address.partition("@")[0]
        if name == MUTE:
            await self._say_nothing(command)
        if name in REFUSED:
            return self._answer(command, REFUSED[name])
        envelope.rcpt_tos.append(address)
        return self._answer(command, "250 OK")

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        """Keep a message."""
        command, content = "DATA, and the message", envelope.original_content or b""
        header = BytesHeaderParser().parsebytes(content)
        mail = Mail(tuple(envelope.rcpt_tos), str(header["Message-ID"] or ""), content)
        # A new tuple: whoever reads in another thread has the old one or this one.
        self.kept = (*self.kept, mail)[-MOST_KEPT:]
        names = {address.partition("@")[0] for address in envelope.rcpt_tos}
        if LATE in names:
            await self._say_nothing(command)
        if SLOW in names:
            await asyncio.sleep(SECONDS)
        return self._answer(command, "250 OK")

    async def handle_QUIT(self, _: SMTP, __: Session, ___: Envelope) -> str:
        """Say goodbye."""
        return self._answer("QUIT", "221 Bye")

    def _answer(self, command: str, answer: str) -> str:
        self._heard(f"{command} -> {answer}")
        return answer

    async def _say_nothing(self, command: str) -> None:
        self._heard(f"{command} -> ...")
        await _for_ever()


def nobody(_: str) -> None:
    """Hear nothing."""


async def _for_ever() -> None:
    # That is until aiosmtpd cancels it, as it does when the client hangs up.
    await asyncio.Event().wait()


@contextmanager
def mail_server(
    heard: Callable[[str], object] = nobody, *, largest: int = 100_000, utf8: bool = False
) -> Iterator[MailServer]:
    """Run a mail server for as long as the block lasts, on 127.0.0.1.

    At its end all connections are closed.

    Args:
        heard: told, in the thread of the server, of EHLO, MAIL, RCPT, DATA with the message,
            and QUIT, each with its answer, such as "QUIT -> 221 Bye". It is not told of other
            commands, nor of what aiosmtpd refuses by itself.
        largest: bytes that a message may have.
        utf8: whether an address may have letters beyond ASCII (the extension SMTPUTF8).

    Yields:
        The server, on a port that the system picked.
    """
    # With the protocol named, asyncio turns Nagle's algorithm off. aiosmtpd greets in several
    # writes, and otherwise one would wait until the one before is acknowledged.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind((LOCALHOST, 0))
        listener.listen(100)
        host, port = listener.getsockname()
        server = MailServer(host, port, heard)
        with OwnLoop(_serve, server, listener, largest, utf8):
            yield server


async def _serve(server: MailServer, listener: socket.socket, largest: int, utf8: bool) -> None:
    loop = asyncio.get_running_loop()
    conversations: WeakSet[SMTP] = WeakSet()

    def answer_somebody() -> SMTP:
        conversation = SMTP(
            server,
            data_size_limit=largest,
            enable_SMTPUTF8=utf8,
            # Otherwise it asks the network for its own name.
            hostname="localhost",
            ident="stormy",
            loop=loop,
        )
        conversations.add(conversation)
        return conversation

    accepting = await loop.create_server(answer_somebody, sock=listener, start_serving=False)
    try:
        # It may be cancelled in there, and then somebody may have come already.
        await accepting.start_serving()
        await _for_ever()
    finally:
        # Who has come is accepted in the next turn of the loop, and can be closed soon after.
        # If the server is closed in between, asyncio forgets the connection and leaves it open.
        for _ in range(TURNS):
            await asyncio.sleep(0)
        accepting.close()
        for conversation in list(conversations):
            if isinstance(conversation.transport, asyncio.WriteTransport):
                conversation.transport.abort()
