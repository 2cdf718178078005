"""Hand a message to a mail server, and know what is known of it afterwards.

A mail server answers each command of SMTP, and last the message itself. With that answer the
message is its business. Whoever gets none does not know: the message may be there, and the
answer lost. So there are three outcomes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Literal, NamedTuple

try:
    from aiosmtplib import (
        SMTP,
        SMTPDataError,
        SMTPException,
        SMTPNotSupported,
        SMTPRecipientsRefused,
        SMTPResponse,
        SMTPResponseException,
        SMTPStatus,
    )
except ImportError as error:
    raise ImportError(
        f"Mail needs aiosmtplib, and cannot import {error.name}: pip install aiosmtplib",
        name=error.name,
    ) from error

__all__ = [
    "Conversation",
    "Outcome",
    "SMTPNotSupported",
    "SMTPResponseException",
    "deliver",
    "invitation",
]

DOMAIN = "stormy.example"
SENDER = f"invitations@{DOMAIN}"

Sent = Literal["yes", "no", "unknown"]


class Outcome(NamedTuple):
    """What became of a message.

    Attributes:
        sent: whether the mail server has it.
        refused: to whom the server would not send it, with what it said.
        error: what went wrong otherwise, or None.
    """

    sent: Sent
    refused: Mapping[str, SMTPResponse]
    error: Exception | None


def invitation(to: Sequence[str], name: str, text: str, number: str) -> EmailMessage:
    """Write an invitation.

    Args:
        to: the addresses.
        name: who invites.
        text: what is said.
        number: what makes its Message-ID: the same for each attempt to send it.

    Raises:
        ValueError: a header would not say what it should: there is a line break in the name,
            or an encoded word, such as "=?utf-8?q?Ada?="; or an address is none.
    """
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = ", ".join(to)
    message["Subject"] = subject = f"{name} invites you"
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{number}@{DOMAIN}>"
    message.set_content(text)
    # What the header says is what will be sent to.
    if [each.addr_spec for each in message["To"].addresses] != list(to):
        raise ValueError("this is no address")
    # An encoded word is decoded, and older Pythons let it hide a line break: one more header.
    if str(message["Subject"]) != subject:
        raise ValueError("a name like this would be read as another one")
    return message


class Conversation(SMTP):
    """A client that knows whether its message was sent."""

    sent: Sent = "no"

    async def data(self, message: str | bytes, /, **options: Any) -> SMTPResponse:
        """Send DATA, and if the server says go on, the message."""
        self.sent = "unknown"
        try:
            answer = await super().data(message, **options)
        except SMTPDataError as error:
            if error.code // 100 in (4, 5):
                self.sent = "no"
            raise
        self.sent = "yes"
        return answer

    async def rset(self, **_: Any) -> SMTPResponse:
        """Leave out what follows a refusal: there is no next message to begin with.

        Who waited for an answer to it could lose the refusal.
        """
        return SMTPResponse(SMTPStatus.completed, "")


async def deliver(message: EmailMessage, host: str, port: int, patience: float) -> Outcome:
    """Hand a message to a mail server.

    Args:
        message: it, with all its headers.
        host: where the server is.
        port: the same.
        patience: seconds for all of the conversation.

    Returns:
        What became of it, whatever the server did.
    """
    client = Conversation(
        hostname=host,
        port=port,
        # Otherwise it asks the network for its own name.
        local_hostname="localhost",
        # That would be for each step; `patience` is for all of them.
        timeout=None,
    )
    refused, trouble = dict[str, SMTPResponse](), None
    try:
        async with asyncio.timeout(patience):
            await client.connect()
            try:
                refused, _ = await client.send_message(message)
            except SMTPRecipientsRefused as error:
                refused = {
                    r.recipient: SMTPResponse(r.code, r.message) for r in error.recipients
                }
            await client.quit()
    except (SMTPException, OSError) as error:
        trouble = error
    finally:
        # Not `async with client`: that says goodbye, and waits for an answer, once more.
        client.close()
    return Outcome(client.sent, refused, trouble)
