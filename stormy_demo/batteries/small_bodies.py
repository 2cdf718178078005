"""An application to which people send forms: a body may be as large as those, and no larger.

Otherwise Tornado keeps up to 100 MB of each body in memory, before it asks any handler, also
where there is none that takes a body, and a few visitors at once are enough. A handler that
takes it in pieces may allow more. Who makes the server, too, may say it there:
`HTTPServer(app, max_body_size=...)`.
"""

from __future__ import annotations

from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPServerRequest
from tornado.web import Application

LARGEST = 20_000  # bytes; each letter of a form may be written as "%F0%9F%90%8D"


class SmallBodies(Application):
    """An application for which Tornado closes on whoever sends more than a form."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Find the handler, once the head of a request has come, and set the limit."""
        cast(HTTP1Connection, request.connection).set_max_body_size(LARGEST)
        return super().find_handler(request, **kwargs)
