"""How all servers of the demo tell an error: a status, and one sentence as a piece of JSON."""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError, RequestHandler

STOPPED = "The server was stopped before it could answer."


class SentenceHandler(RequestHandler):
    """A handler whose errors are sentences; a traceback is never the client's business."""

    def only_argument(self, name: str, default: str) -> str:
        """Return an argument of the address, which must not be there twice.

        Args:
            name: its name.
            default: what it is when it is not there.

        Raises:
            HTTPError: a 400; it is there more than once, or is not UTF-8.
        """
        values = self.get_query_arguments(name)
        if len(values) > 1:
            raise HTTPError(400, f"{name} must be given once")
        return values[0] if values else default

    def only_field(self, name: str) -> str:
        """Return a field of the form, which must be there once.

        Args:
            name: its name.

        Raises:
            HTTPError: a 400; it is missing, there more than once, or not UTF-8.
        """
        values = self.get_body_arguments(name)
        if len(values) != 1:
            raise HTTPError(400, f"{name} must be given once")
        return values[0]

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with the sentence of an error."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        sentence = "Something went wrong in here."
        if error is None:
            # Tornado ends a handler in this way when its task is cancelled.
            self.set_status(503)
            sentence = STOPPED
        elif isinstance(error, HTTPError):
            self.set_status(error.status_code)
            sentence = error.get_message() or self._reason
        self.finish({"error": sentence})


class NotFoundHandler(SentenceHandler):
    """Answers where nothing else does, with a word about what there is."""

    def initialize(self, there_is: str) -> None:
        """Keep what there is, such as "/resources/?user=ada"."""
        self.there_is = there_is

    def prepare(self) -> None:
        """Refuse the request."""
        raise HTTPError(404, f"There is nothing here, but at {self.there_is}")


def refuse() -> None:
    """Refuse a request, in place of what a handler would do to prepare itself.

    Raises:
        HTTPError: a 503; always.
    """
    raise HTTPError(503, STOPPED)


class StoppedHandler(SentenceHandler):
    """Answers in place of all others when a server is to stop."""

    def prepare(self) -> None:
        """Refuse the request."""
        refuse()
