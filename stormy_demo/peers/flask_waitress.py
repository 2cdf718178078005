"""Flask on waitress: plain code on threads, and requests with a session for each thread."""

from __future__ import annotations

import logging
import threading

from ..agreed import BackendError
from . import answers
from .starting import BACKLOG, announce, listen, need, one_or_more, options, until_stopped


def main() -> None:
    """Serve until Ctrl-C."""
    parser = options(__doc__)
    parser.add_argument("--threads", type=one_or_more, default=100, help="how many there are")
    given = parser.parse_args()
    need("flask", "waitress")
    import requests
    import waitress.wasyncore  # type: ignore[import-untyped]
    from flask import Flask, Response

    from .wsgi_app import ask

    app = Flask(__name__)
    url, mine = given.upstream + answers.QUESTION, threading.local()

    @app.get("/")
    def hello() -> Response:
        return Response(answers.HELLO, content_type=answers.TEXT)

    @app.get("/report")
    def report() -> Response:
        return Response(answers.report(), content_type=answers.JSON)

    @app.get("/resource")
    def resource() -> Response:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
        said = ask(mine.session, url)
        return Response(answers.resource(said), content_type=answers.JSON)

    @app.errorhandler(BackendError)
    def failed(fault: BackendError) -> Response:
        return Response(str(fault), fault.status, content_type=answers.TEXT)

    # It warns of a queue at its start, when its threads have not begun to wait.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    listener, connections = listen(given.port), dict[int, object]()
    server = waitress.create_server(
        app,
        map=connections,
        sockets=[listener],
        threads=given.threads,
        # As it comes it serves a hundred connections, and the next ones wait.
        connection_limit=BACKLOG,
        asyncore_use_poll=True,
    )
    announce(listener.getsockname()[1])
    try:
        until_stopped(server.run)
    finally:
        waitress.wasyncore.close_all(connections)


if __name__ == "__main__":
    main()
