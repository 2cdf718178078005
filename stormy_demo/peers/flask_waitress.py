"""Flask on waitress: plain code on threads, and requests with a session for each thread."""

from __future__ import annotations

import threading

from . import answers
from .starting import BACKLOG, announce, listen, need, one_or_more, options, until_stopped


def main() -> None:
    """Serve until Ctrl-C."""
    parser = options(__doc__)
    parser.add_argument("--threads", type=one_or_more, default=100, help="how many there are")
    given = parser.parse_args()
    need("flask", "waitress")
    import requests
    import waitress  # type: ignore[import-untyped]
    from flask import Flask, Response

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
        answer = mine.session.get(url)
        answer.raise_for_status()
        return Response(answers.resource(answer.content), content_type=answers.JSON)

    listener = listen(given.port)
    server = waitress.create_server(
        app,
        sockets=[listener],
        threads=given.threads,
        # As it comes it serves a hundred connections, and the next ones wait.
        connection_limit=BACKLOG,
        asyncore_use_poll=True,
    )
    announce(listener.getsockname()[1])
    until_stopped(server.run)


if __name__ == "__main__":
    main()
