"""In which ways the same server is started, and what is asked of each."""

from __future__ import annotations

from typing import NamedTuple

BASELINE = "1 process"
EACH = "2 processes, a socket each"
ONE = "2 processes, one socket"
THREADS = "1 process, 2 threads"
POOL = "1 process, a pool of 2 processes"

# A socket each is divided by the system. At one socket, whoever is quicker takes connections,
# all of them if it may; and a visitor who keeps a connection stays where it is.
WAYS: dict[str, tuple[str, ...]] = {
    BASELINE: (),
    THREADS: ("--pool=threads",),
    EACH: ("--processes=2", "--reuse-port"),
    ONE: ("--processes=2",),
    POOL: ("--pool=processes",),
}


class Group(NamedTuple):
    """What is asked.

    Attributes:
        path: the address.
        at_once: how many visitors there are.
        ways: who is asked.
    """

    path: str
    at_once: int
    ways: tuple[str, ...]


GROUPS = {
    "hello": Group("/", 32, (BASELINE, EACH, ONE)),
    # Some milliseconds each: as long as a thread may keep the interpreter to itself.
    "work": Group("/compute?times=40000", 8, (BASELINE, THREADS, EACH, POOL)),
    "digest": Group("/digest?times=8000", 8, (BASELINE, THREADS, EACH)),
    "waits": Group("/resource", 8, (BASELINE, EACH)),
}
