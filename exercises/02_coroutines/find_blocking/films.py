"""The three films of the exercise."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tornado.web import Application

from loopfilm import Film, watch

from .suspects import Letters, Menu, Rates

# Seconds: less than `look_up` takes, and more than a busy machine keeps a thread waiting.
RED = 0.45
VISITS = ("/?user=ada", "/?user=grace", "/?user=alan")


def three_films() -> list[Film]:
    """Have three people visit each of three handlers at once, and film it.

    It blocks for about four seconds.

    Returns:
        The films, in another order than that of the handlers in `suspects`.
    """
    apps = [
        Application([(r"/", Rates, {"known": {}})]),
        Application([(r"/", Menu)]),
        Application([(r"/", Letters)]),
    ]
    # Each has a thread and a loop of its own, so none of them holds up another.
    with ThreadPoolExecutor(len(apps)) as threads:
        return [*threads.map(lambda app: watch(app, VISITS, red=RED, where=False), apps)]
