"""Mail: a handler that sends invitations, and says whether they were sent.

`POST /invitations` with the fields `to`, once for each address, `name` and `text`. A field
`number` may be there too: 32 hexadecimal digits, which the sender makes up. It becomes the
Message-ID, and is the same in each attempt to send the same invitation, so that whoever gets it
twice can tell.

`GET /` has a form, and shows what the mail server has, if that was started here. That does as
the address says: mail for nobody@example.org, full@, mute@ or late@ fails, each in its own way,
and for slow@ it takes a while.

If a visitor leaves meanwhile, the invitation is sent.
"""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tornado.web import Application, HTTPError

from ..backend import LONGEST
from ..batteries.pages import FormHandler
from ..batteries.small_bodies import SmallBodies
from ..missing import in_a_sentence
from ..program import main
from ..sentences import NotFoundHandler

with in_a_sentence(__name__):
    from .counterparts.kept_mail import KeptHandler
    from .counterparts.mail_server import mail_server as own_mail_server
    from .delivery import Outcome, SMTPNotSupported, SMTPResponseException, deliver, invitation

LONGEST_FIELD = {"name": 60, "text": 2000}  # characters
LONGEST_ADDRESS = 254
MOST_ADDRESSES = 10
# Conversations with the mail server at once; it would refuse too many.
MOST_AT_ONCE = 20
# Seconds, for whoever is to come again.
RETRY_AFTER = 30

# Less than RFC 5322 allows: no quotes, no comments, no blanks.
WORD = r"[\w!#$%&'*+/=?^`{|}~-]+"
LABEL = r"[^\W_]([\w-]*[^\W_])?"
ADDRESS = re.compile(rf"{WORD}(\.{WORD})*@{LABEL}(\.{LABEL})*")
NUMBER = re.compile(r"[0-9a-f]{32}")


class InvitationHandler(FormHandler):
    """Sends an invitation."""

    def initialize(self, patience: float, at_once: set[str]) -> None:
        """Keep the seconds that the mail server has, and the requests that wait for it."""
        self.patience = patience
        self.at_once = at_once

    async def post(self) -> None:
        """Send it, and answer what became of it."""
        to, name, text = self.addresses(), self.filled("name"), self.filled("text")
        number, (host, port) = self.number(), self.settings["mail_server"]
        try:
            message = invitation(to, name, text, number)
        except ValueError as error:
            raise HTTPError(400, f"This cannot be sent: {error}") from None
        if len(self.at_once) >= MOST_AT_ONCE:
            self.tell(503, sent="no", error="Too many are sent at once. It was not sent.")
            return
        self.at_once.add(me := secrets.token_hex(16))
        try:
            outcome = await deliver(message, host, port, self.patience)
        finally:
            self.at_once.remove(me)
        status, sentence = in_words(outcome)
        refused = {to: f"{code} {text:.200}" for to, (code, text) in outcome.refused.items()}
        told = {"error": sentence} if sentence else {}
        self.tell(status, sent=outcome.sent, refused=refused, number=number, **told)

    def tell(self, status: int, **told: object) -> None:
        """Answer with a status, and with what became of an invitation."""
        self.set_status(status)
        if status == 503:
            self.set_header("Retry-After", str(RETRY_AFTER))
        self.write(told)

    def addresses(self) -> list[str]:
        """Return to whom it goes, each once."""
        to = list(dict.fromkeys(self.get_body_arguments("to")))
        if not 1 <= len(to) <= MOST_ADDRESSES:
            raise HTTPError(400, f"to must be given from 1 to {MOST_ADDRESSES} times")
        if not all(len(a) <= LONGEST_ADDRESS and ADDRESS.fullmatch(a) for a in to):
            raise HTTPError(400, "to must be an address such as grace@example.org")
        return to

    def filled(self, name: str) -> str:
        """Return a field that must not be empty."""
        value = self.field(name, LONGEST_FIELD[name])
        if not value:
            raise HTTPError(400, f"{name} must not be empty")
        return value

    def number(self) -> str:
        """Return the number of the invitation, a new one if none was given."""
        if not self.get_body_arguments("number"):
            return secrets.token_hex(16)
        number = self.only_field("number")
        if not NUMBER.fullmatch(number):
            raise HTTPError(400, "number must have 32 digits, from 0 to 9 and from a to f")
        return number


def in_words(outcome: Outcome) -> tuple[int, str]:
    """Return the status for an outcome, and a sentence, which is empty if it was sent.

    Args:
        outcome: what became of an invitation.
    """
    if outcome.sent == "yes":
        return 200, ""
    if outcome.sent == "unknown":
        return 504, (
            "The mail server may have got it, and did not say that it takes it. Perhaps it was "
            "sent. "
            "Whoever sends it again should give it this number."
        )
    codes, error = [answer.code for answer in outcome.refused.values()], outcome.error
    if isinstance(error, SMTPResponseException):
        codes.append(error.code)
    if any(400 <= code < 500 for code in codes):
        return 503, "The mail server does not take it now. It was not sent; try again later."
    if isinstance(error, SMTPNotSupported) or any(500 <= code < 600 for code in codes):
        return 422, "The mail server will not take it. It was not sent."
    if isinstance(error, TimeoutError):
        return 504, "The mail server did not answer in time. It was not sent."
    return 502, "The mail server was not there, hung up, or made no sense. It was not sent."


def as_place(text: str) -> tuple[str, int]:
    """Read where a mail server is.

    Args:
        text: such as "127.0.0.1:25".

    Raises:
        ValueError: it is something else.
    """
    host, _, port = text.rpartition(":")
    if not re.fullmatch(r"[\w.-]+", host) or not re.fullmatch("[0-9]{1,5}", port):
        raise ValueError(f"mail_server must be a place such as 127.0.0.1:25, not {text}")
    try:
        # As asyncio does, when it looks for the host.
        host.encode("idna")
    except UnicodeError:
        raise ValueError(f"mail_server must have the name of a host, not {host}") from None
    if not 1 <= int(port) <= 65535:
        raise ValueError(f"mail_server has a port from 1 to 65535, not {port}")
    return host, int(port)


def make_app(mail_server: str = "", patience: float = 5.0) -> Application:
    """Make an application that sends invitations.

    Args:
        mail_server: where it is, such as 127.0.0.1:25; empty starts one, which keeps the mail.
        patience: seconds that the mail server has for an invitation.

    Raises:
        ValueError: an argument is not what it should be.
    """
    if not 0 < patience <= LONGEST:
        raise ValueError(
            f"patience must be more than 0 seconds, and a day at most, not {patience}"
        )
    place = as_place(mail_server) if mail_server else None

    @contextmanager
    def with_server() -> Iterator[None]:
        if place:
            app.settings.update(mail_server=place, started=None)
            yield
            return
        with own_mail_server() as server:
            app.settings.update(mail_server=(server.host, server.port), started=server)
            yield

    app = SmallBodies(
        [
            ("/", KeptHandler),
            ("/invitations", InvitationHandler, {"patience": patience, "at_once": set()}),
        ],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/, and POST at /invitations"},
        cross_origin_protection=True,
        while_running=with_server,
    )
    return app


if __name__ == "__main__":
    sys.exit(main(make_app))
