"""A mail server that keeps what it gets, and does as the address says.

It is aiosmtpd, on a loop and in a thread of its own: on the loop of a client that blocks, it
could never answer. aiosmtpd's `Controller` makes such a thread too, but the system cannot pick
the port for it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from typing import NamedTuple
from weakref import WeakSet

from loopfilm import LOCALHOST
from loopfilm.own_loop import OwnLoop

try:
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
SECONDS = 0.4  # that while

MOST_KEPT = 100  # older ones are forgotten

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
    """Keeps messages, in memory.

    Attributes:
        host, port: where it listens.
        kept: what it has taken last, the newest at the end. Another thread may read it.
    """

    def __init__(self, host: str, port: int) -> None:
        """Begin without any."""
        self.host, self.port = host, port
        self.kept: tuple[Mail, ...] = ()

    async def handle_RCPT(  # noqa: N802, RUF100
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        """Answer somebody who says for whom the message will be."""
        name = address.partition("@")[0]
        if name == MUTE:
            await _for_ever()
        if name in REFUSED:
            return REFUSED[name]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802, RUF100
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a message, and answer."""
        content = envelope.original_content or b""
        header = BytesHeaderParser().parsebytes(content)
        mail = Mail(tuple(envelope.rcpt_tos), str(header["Message-ID"] or ""), content)
        # A new tuple: whoever reads in another thread has the old one or this one.
        self.kept = (*self.kept, mail)[-MOST_KEPT:]
        names = {address.partition("@")[0] for address in envelope.rcpt_tos}
        if LATE in names:
            await _for_ever()
        if SLOW in names:
            await asyncio.sleep(SECONDS)
        return "250 OK"


async def _for_ever() -> None:
    # That is until aiosmtpd cancels it, as it does when the client hangs up.
    await asyncio.Event().wait()


@contextmanager
def mail_server(*, largest: int = 100_000, utf8: bool = False) -> Iterator[MailServer]:
    """Run a mail server for as long as the block lasts, on 127.0.0.1.

    At its end all connections are closed.

    Args:
        largest: bytes that a message may have.
        utf8: whether an address may have letters beyond ASCII (the extension SMTPUTF8).

    Yields:
        The server, on a port that the system picked.
    """
    with socket.create_server((LOCALHOST, 0), backlog=100) as listener:
        server = MailServer(*listener.getsockname())
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

    accepting = await loop.create_server(answer_somebody, sock=listener)
    try:
        await _for_ever()
    finally:
        accepting.close()
        for conversation in list(conversations):
            if isinstance(conversation.transport, asyncio.WriteTransport):
                conversation.transport.abort()
