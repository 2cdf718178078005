"""Two lines from the web, tried in two places."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

monkey_patch = Choice(
    __name__,
    {
        "answer": {
            "a": Mistake(
                "polite_in_both",
                "a patch that makes Bob wait for Tornado's loop",
                (
                    "A patched socket lets other greenlets of gevent run while it waits. Is "
                    "Tornado's loop one that can go on meanwhile?",
                    "Bob waits for gevent's own loop, its hub. Tornado's loop called the "
                    "handler, and stands until the handler returns: the same staircase.",
                ),
            ),
            "b": Mistake(
                "polite_in_the_server",
                "a server whose loop runs on while a handler waits",
                (
                    "You are right about the notebook. In the server, who called the handler, "
                    "and what does that one do until the handler returns?",
                    "It is Tornado's loop, and it stands. That Bob now waits for gevent's loop "
                    "helps only what runs on gevent's loop.",
                ),
            ),
            "c": None,
            "d": Mistake(
                "harmless",
                "a kernel that needs nothing of what was replaced",
                (
                    "You are right about the server. What does a kernel use to bring your "
                    "cells in and the outputs out?",
                    "Threads. `patch_all` replaces them too, and the kernel, which was built "
                    "on the old ones, no longer knows its own threads: it answers no more.",
                ),
            ),
        }
    },
    "`patch_all` replaces sockets, threads and time for the whole process, and all of them "
    "then wait for gevent's loop. It is meant for programs that run on that loop. To try it, "
    "use a process of its own.",
    (
        "Which loop do the patched sockets wait for? Which loop called the handler?",
        "And the kernel: it was running, with threads of its own, before you patched anything.",
    ),
)
